"""What one host is to have, in the order in which it can be made; no I/O but templates and keys."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from castoff.config.errors import ConfigError
from castoff.config.hosts import ResolvedHost
from castoff.config.model import App, Nginx, Provision, SystemUser, Unit, kept_paths
from castoff.config.paths import local_path
from castoff.config.provision_rules import absolute
from castoff.provisioner.rights import sudoers
from castoff.provisioner.site import site_text
from castoff.provisioner.surroundings import Surroundings
from castoff.provisioner.thing import Thing
from castoff.provisioner.unit import unit_text

_KEY = re.compile(r"(?:\S+ )?(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-\S+ \S+")
_VERSION = re.compile(r"3\.\d+")
_PYTHON_IN_PATH = re.compile(r"python(3\.\d+)$")
_FOLDER = "0755"


def describe(
    around: Surroundings, recipe: App, provision: Provision, base: Path
) -> tuple[Thing, ...]:
    """Return everything that the host is to have.

    Args:
        around: The app, its environment and the host.
        recipe: The app as castoff.toml has it.
        provision: The environment's table.
        base: Folder of castoff.toml.

    Raises:
        ConfigError: A template or a file of public keys cannot be used, or a path is not absolute.
    """
    host = around.host
    nginx = provision.nginx if provision.nginx and _meant(provision.nginx, host) else None
    units = [unit for unit in provision.units if _meant(unit, host)]
    things = (
        *_packages(provision, nginx),
        _python(recipe, host),
        *([] if provision.user is None else [_user(provision.user, around, base)]),
        *_folders(around, recipe, provision),
        *_sudo(provision, around, units),
        *(_unit(unit, around, base, recipe) for unit in units),
        *([] if nginx is None else [_site(nginx, around, recipe, base)]),
        *_firewall(provision, nginx),
    )
    # Of two folders of one path, the one that is named comes last and says more.
    return tuple({thing.name: thing for thing in things}.values())


def _meant(table: Nginx | Unit, host: ResolvedHost) -> bool:
    return not table.roles or not set(table.roles).isdisjoint(host.roles)


def _packages(provision: Provision, nginx: Nginx | None) -> Iterator[Thing]:
    names = [
        *provision.packages,
        *([] if nginx is None else [nginx.package]),
        *([] if provision.sudo is None else ["sudo"]),
        *([] if provision.firewall is None else [provision.firewall.kind]),
    ]
    if names:
        names = list(dict.fromkeys(names))
        yield Thing(f"packages {', '.join(names)}", "packages", {"names": names})


def _python(recipe: App, host: ResolvedHost) -> Thing:
    """Return the interpreter that a release of the app will look for."""
    if host.python is not None and "/" in host.python:
        return Thing(f"python {host.python}", "python", {"path": host.python})
    target = recipe.build.target
    version = _version(target.python if target is not None else None, recipe.build.python)
    return Thing(f"python {version}", "python", {"version": version})


def _version(target: str | None, interpreter: str | None) -> str:
    """Return a version as `3.12`: the target's, that of its interpreter's name, or this one's."""
    if target is not None and (match := _VERSION.match(target)):
        return match[0]
    name = interpreter or ""
    if match := _PYTHON_IN_PATH.search(name):
        return match[1]
    if match := _VERSION.match(name):
        return match[0]
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _user(user: SystemUser, around: Surroundings, base: Path) -> Thing:
    keys = [key for entry in user.authorized_keys for key in _public_keys(entry, base)]
    home = user.home or f"/var/lib/{around.user}"
    return Thing(
        f"user {around.user}",
        "user",
        {
            "name": around.user,
            "home": home,
            # The app's own folder is not that of its user: others may own it.
            "make_home": home != around.host.root,
            "shell": user.shell or ("/bin/sh" if keys else "/usr/sbin/nologin"),
            "groups": list(user.groups),
            "keys": keys,
        },
    )


def _public_keys(entry: str, base: Path) -> list[str]:
    if _KEY.match(entry):
        return [entry]
    path = local_path(entry, base)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"authorized_keys: {path} cannot be read: {error}") from error
    keys = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not keys or any(_KEY.match(key) is None for key in keys):
        raise ConfigError(
            f"authorized_keys: {path} holds no public keys",
            hint="A public key begins as 'ssh-ed25519 AAAA', and its file ends in .pub.",
        )
    return keys


def _folders(around: Surroundings, recipe: App, provision: Provision) -> Iterator[Thing]:
    root = around.host.root
    # One below ~ is made by the first release, whose user's home only the host knows.
    if root.startswith("/"):
        yield _folder(root, owner=around.releaser, mode=_FOLDER)
        yield _folder(f"{root}/shared", owner=around.releaser, mode=_FOLDER)
        for kept in kept_paths(recipe.shared):
            if kept.path.endswith("/"):
                path = PurePosixPath(kept.path)
                for above in reversed(path.parents[:-1]):
                    yield _folder(f"{root}/shared/{above}", owner=around.user, mode=_FOLDER)
                yield _folder(
                    f"{root}/shared/{path}",
                    owner=kept.owner or around.user,
                    group=kept.group,
                    mode=kept.mode or _FOLDER,
                )
    for table in provision.directories:
        text = around.fill(table.path)
        try:
            path_there = absolute(text)
        except ValueError as error:
            raise ConfigError(f"provision.directories: {text!r} {error}") from error
        yield _folder(
            path_there, owner=table.owner or around.user, group=table.group, mode=table.mode
        )


def _folder(path: str, *, owner: str, mode: str, group: str | None = None) -> Thing:
    options = {"path": path, "owner": owner, "group": group, "mode": mode}
    return Thing(f"directory {path}", "directory", options)


def _sudo(provision: Provision, around: Surroundings, units: Iterable[Unit]) -> Iterator[Thing]:
    if provision.sudo is None:
        return
    text = sudoers(provision.sudo, around, [unit.name for unit in units])
    if text is not None:
        # sudo reads no file there whose name has a dot.
        name = f"castoff-{around.app}".replace(".", "-")
        yield Thing(
            f"sudo rules {name}",
            "file",
            {
                "path": f"/etc/sudoers.d/{name}",
                "text": text,
                "mode": "0440",
                "check": "visudo -c -q -f {file}",
            },
        )


def _unit(unit: Unit, around: Surroundings, base: Path, recipe: App) -> Thing:
    text = unit_text(unit, around, base, releases=bool(recipe.writable))
    return Thing(f"unit {unit.name}", "unit", {"name": unit.name, "text": text})


def _site(nginx: Nginx, around: Surroundings, recipe: App, base: Path) -> Thing:
    return Thing(
        f"nginx site {around.app}",
        "site",
        {
            "name": around.app,
            "text": site_text(nginx, around, recipe, base),
            "takes_all": not nginx.server_names and nginx.template is None,
        },
    )


def _firewall(provision: Provision, nginx: Nginx | None) -> Iterator[Thing]:
    firewall = provision.firewall
    if firewall is None:
        return
    allow = firewall.allow
    if allow is None:
        allow = () if nginx is None else (str(nginx.listen),)
    ports = sorted(dict.fromkeys(port if "/" in port else f"{port}/tcp" for port in allow))
    yield Thing(f"firewall {firewall.kind}", "firewall", {"kind": firewall.kind, "allow": ports})
