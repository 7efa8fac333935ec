"""What the parts of a configuration owe each other; no I/O, every breach reported at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from castoff.config import relays, secret_rules, values
from castoff.config.errors import KeyPath, Misfit, Misfits
from castoff.config.nearest import nearest

if TYPE_CHECKING:
    from pydantic import BaseModel

    from castoff.config.app_tables import App, Assets, BuildTarget
    from castoff.config.environment_tables import Environment, Site, Stragglers
    from castoff.config.model import Config
    from castoff.config.restart_step import Restart
    from castoff.config.step_tables import Step

_PLACEHOLDER = re.compile(r"\{[^{}]*\}?")
_ROOT_PLACEHOLDERS = ("{app}", "{host}")
_ONCE_ONLY = ("backup", "once")


def require(misfits: Iterable[Misfit]) -> None:
    """Do nothing if there are no misfits.

    Raises:
        Misfits: There are some.
    """
    if found := tuple(misfits):
        raise Misfits(found)


def build_target(table: BuildTarget) -> Iterator[Misfit]:
    """Yield what is wrong with a target of two C libraries."""
    if table.glibc is not None and table.musl is not None:
        yield Misfit(("musl",), "hosts have either 'glibc' or 'musl'")


def one_of(table: BaseModel, one: str, other: str) -> Iterator[Misfit]:
    """Yield a misfit if a table has both or none of two keys."""
    if (getattr(table, one) is None) == (getattr(table, other) is None):
        yield Misfit((), f"needs either {one!r} or {other!r}")


def kept_paths(app: App) -> Iterator[Misfit]:
    """Yield shared and writable paths that leave the release, or lie in or at another one."""
    seen: dict[PurePosixPath, str] = {}
    entries = [
        (key, index, entry if isinstance(entry, str) else entry.path)
        for key, several in (("shared", app.shared), ("writable", app.writable))
        for index, entry in enumerate(several)
    ]
    for key, index, text in entries:
        try:
            path = PurePosixPath(values.inside(text))
        except ValueError as error:
            yield Misfit((key, index), f"{text!r} {error}")
            continue
        for other, spelling in seen.items():
            if path == other:
                yield Misfit((key, index), f"{text!r} is listed twice")
            elif path.is_relative_to(other) or other.is_relative_to(path):
                yield Misfit((key, index), f"{text!r} and {spelling!r} lie in each other")
        seen.setdefault(path, text)


def step(one: Step, built_ins: Sequence[str]) -> Iterator[Misfit]:
    """Yield what is wrong with a step that does nothing, or two things, or one elsewhere."""
    kinds = ("command", "http", *built_ins)
    given = [key for key in kinds if getattr(one, key) is not None]
    if len(given) != 1:
        what = "does two things" if given else "does nothing"
        tables = ", ".join(kinds[1:])
        yield Misfit(
            ("command",), f"step {one.name!r} {what}: it needs a command, or one of {tables}"
        )
    elif given != ["command"] and one.run_on == "controller":
        yield Misfit(
            ("run_on",), f"step {one.name!r} ({given[0]}) can only be done on the host itself"
        )
    elif given == ["migrate"] and one.moment != "once":
        yield Misfit(("moment",), f"step {one.name!r} migrates, which is for the moment 'once'")
    elif given == ["migrate"] and one.on_failure == "warn":
        yield Misfit(("on_failure",), f"no release can go on once step {one.name!r} has failed")
    elif one.user is not None and not _runs_programs(one, given):
        yield Misfit(("user",), f"step {one.name!r} is no command on a host, so it has no 'user'")
    elif one.moment in _ONCE_ONLY and one.run_on == "controller":
        # A host's lock holds back whoever comes after a controller that died, until what runs
        # there has ended. What runs here is held back by nothing, and would run twice at once.
        yield Misfit(
            ("run_on",),
            f"step {one.name!r} at the moment {one.moment!r} can only run on a host, whose lock "
            "keeps it from running twice at once",
        )


def _runs_programs(one: Step, given: Sequence[str]) -> bool:
    """Whether a step starts programs on a host, which somebody else could start."""
    reads = one.backup is not None and one.backup.kind in ("sqlite", "files")
    return one.run_on == "host" and given != ["http"] and not reads


def stragglers(table: Stragglers) -> Iterator[Misfit]:
    """Yield what is wrong with a quarantine of any number of hosts."""
    if table.policy == "quarantine" and table.quorum is None:
        yield Misfit(("quorum",), "policy 'quarantine' needs 'quorum', as in \"80%\" or \"2\"")


def assets(table: Assets) -> Iterator[Misfit]:
    """Yield what is wrong with assets that come from nowhere."""
    if not table.sources and not table.collectstatic:
        yield Misfit(("sources",), "needs 'sources', a list of folders, or 'collectstatic'")


def cdn(app: App) -> Iterator[Misfit]:
    """Yield what is wrong with a CDN that pages would not load their assets from."""
    if app.cdn is None:
        return
    if app.assets is None:
        yield Misfit(("cdn",), "needs assets to publish: a table [apps.NAME.assets]")
        return
    base = app.assets.base_url
    if base is not None and not base.startswith("/") and base not in app.cdn.urls:
        yield Misfit(
            ("cdn", "urls"), f"pages will look for assets at {base!r}, which is not among them"
        )


def site(table: Site) -> Iterator[Misfit]:
    """Yield what is wrong with a site that has no pointer to change."""
    if table.switch == "prefix" and table.store.startswith("s3://") and table.cloudfront is None:
        yield Misfit(
            ("switch",),
            "'prefix' in a bucket needs 'cloudfront', whose origin path is the pointer",
        )


def environment(env: Environment) -> Iterator[Misfit]:
    """Yield what does not go together among an environment's hosts, roots and steps."""
    if not env.hosts and env.hosts_from is None and env.site is None:
        yield Misfit(
            ("hosts",),
            "needs a host: a table [[environments.NAME.hosts]], or 'hosts_from', or a 'site'",
        )
    yield from _repeated("host", "hosts", [host.name for host in env.hosts])
    yield from _repeated("step", "steps", [step.name for step in env.steps])
    yield from _roots(env)
    yield from relays.misfits(env, whole=env.hosts_from is None)
    yield from _colors(env)
    for number, one in enumerate(env.steps):
        at = ("steps", number, "secrets")
        yield from secret_rules.known(at, f"step {one.name!r}", one.secrets, env.secrets)
    if env.hosts_from is None:
        yield from _roles(env)


def _colors(env: Environment) -> Iterator[Misfit]:
    """Yield what is missing where a second instance is to be started and checked."""
    if env.strategy.kind != "blue-green":
        return
    moments = {one.moment for one in env.steps}
    for moment, does in (("start_idle", "starts"), ("check_idle", "checks")):
        if moment not in moments:
            yield Misfit(
                ("strategy", "kind"),
                f"'blue-green' needs a step of the moment {moment!r}, which {does} the idle "
                "instance",
            )
    for number, one in enumerate(env.steps):
        if one.moment == "start_idle" and one.restart is not None and not _one_of_two(one.restart):
            yield Misfit(
                ("steps", number, "restart"),
                f"step {one.name!r} does not say which of the two instances it restarts: name its "
                "unit, programs, 'pid_file' or 'match' by a variable, as in 'shop@{CASTOFF_COLOR}'",
            )
        elif one.restart is not None and _is_of_all(one.restart):
            yield Misfit(
                ("steps", number, "restart"),
                f"step {one.name!r} is about all processes of the app, and with 'blue-green' those "
                "of the version before go on: say which are meant by 'pid_file' or 'match'",
            )


def _one_of_two(restart: Restart) -> bool:
    """Whether the service that is restarted is another one for each colour."""
    tables = (restart.systemd, restart.gunicorn, restart.uwsgi)
    named = [getattr(one, "unit", None) or getattr(one, "pid_file", None) for one in tables if one]
    programs = restart.supervisor.programs if restart.supervisor else ()
    return any("{" in text for text in (*named, *programs, restart.pid_file, restart.match) if text)


def _is_of_all(restart: Restart) -> bool:
    """Whether all processes of the app are to run from the release afterwards."""
    by_hand = restart.touch is not None or restart.command is not None
    return by_hand and restart.pid_file is None and restart.match is None


def _roles(env: Environment) -> Iterator[Misfit]:
    known = sorted({role for host in env.hosts for role in host.roles})
    for number, one in enumerate(env.steps):
        for index, role in enumerate(one.roles):
            if role not in known:
                yield Misfit(
                    ("steps", number, "roles", index),
                    f"step {one.name!r} wants role {role!r}, which no host has",
                    nearest(role, known),
                )


def config(whole: Config) -> Iterator[Misfit]:
    """Yield names of apps and environments that do not exist."""
    for key, name, section in (
        ("default_app", whole.default_app, "apps"),
        ("default_environment", whole.default_environment, "environments"),
    ):
        known = whole.apps if section == "apps" else whole.environments
        if name is not None and name not in known:
            yield Misfit(
                (key,),
                f"{key} names {name!r}, which is not under [{section}]",
                nearest(name, known),
            )
    for environment_name, env in whole.environments.items():
        for number, one in enumerate(env.steps):
            path = ("environments", environment_name, "steps", number, "apps")
            yield from _unknown_apps(path, f"step {one.name!r}", one.apps, whole)
        for number, file in enumerate(env.config):
            path = ("environments", environment_name, "config", number, "apps")
            yield from _unknown_apps(path, f"the file {file.path!r}", file.apps, whole)
        for number, held in enumerate(env.secret_files):
            path = ("environments", environment_name, "secret_files", number, "apps")
            yield from _unknown_apps(path, f"the file {held.path!r}", held.apps, whole)


def _unknown_apps(path: KeyPath, what: str, apps: Sequence[str], whole: Config) -> Iterator[Misfit]:
    for index, app in enumerate(apps):
        if app not in whole.apps:
            yield Misfit(
                (*path, index),
                f"{what} names app {app!r}, which is not under [apps]",
                nearest(app, whole.apps),
            )


def _repeated(kind: str, key: str, names: Sequence[str]) -> Iterator[Misfit]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Misfit((key, index, "name"), f"two {kind}s are named {name!r}")


def _roots(env: Environment) -> Iterator[Misfit]:
    inherited = {host.transport or env.transport for host in env.hosts if host.root is None}
    if env.hosts_from is not None:
        inherited.add(env.transport)
    if inherited:
        yield from _root(("root",), env.root, over_ssh="ssh" in inherited)
    for index, host in enumerate(env.hosts):
        if host.root is not None:
            over_ssh = (host.transport or env.transport) == "ssh"
            yield from _root(("hosts", index, "root"), host.root, over_ssh=over_ssh)


def _root(at: KeyPath, root: str, *, over_ssh: bool) -> Iterator[Misfit]:
    for placeholder in _PLACEHOLDER.findall(root):
        if placeholder not in _ROOT_PLACEHOLDERS:
            yield Misfit(
                at,
                f"root: {placeholder} stands for nothing; {{app}} and {{host}} do",
                nearest(placeholder, _ROOT_PLACEHOLDERS),
            )
    if over_ssh and not root.startswith(("/", "~/")):
        yield Misfit(at, "root: must start with '/' or '~/' on hosts reached by ssh")
