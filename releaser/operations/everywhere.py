"""A person's own command on all hosts at once, in what each of them serves."""

from __future__ import annotations

from collections.abc import Callable

from castoff.config.hosts import ResolvedHost
from castoff.releaser.colors import Colors, color_variables, paired
from castoff.releaser.errors import CommandFailed, HostError
from castoff.releaser.fleet import Fleet, Opening
from castoff.releaser.job import Scope
from castoff.releaser.on_each import on_each
from castoff.releaser.replies import Ran
from castoff.releaser.secrets.secrets import NONE, Secrets
from castoff.releaser.session import Asked
from castoff.releaser.steps import variables, with_umask
from castoff.releaser.transports.connect import Connect, connector
from castoff.releaser.whole_lines import whole_lines
from castoff.store.counted import counted

# What hosts note in their journals.
_NAME = "castoff run"

Say = Callable[[str, str], None]


def run_everywhere(
    scope: Scope,
    command: str,
    say: Say,
    *,
    timeout: float,
    secrets: Secrets = NONE,
    connect: Connect | None = None,
) -> None:
    """Run a shell command on all hosts of a scope, in the directory of the current release.

    It sees the variables that steps see. Nothing is locked, and nothing is recorded but a line in
    each host's journal. On an interrupt the hosts let the command run to its end.

    Args:
        scope: Whose hosts.
        command: Run by /bin/sh -c.
        say: Called from many threads with a host's name and a line that was printed there.
        timeout: Seconds that it may take on a host.
        secrets: Those that it has as variables; none is in what is said.
        connect: How hosts are reached; default: as configured.

    Raises:
        CommandFailed: It failed on some host, or could not be run there.
    """

    def run_one(host: ResolvedHost) -> None:
        state = fleet.open(host).state
        version = state.current
        if version is None:
            raise HostError(host.name, "nothing is live there", hint="castoff release VERSION")

        served = Colors(own=state.color, live=state.color)
        colors = served if paired(scope.environment) else None

        given = {
            **variables(scope, host, version),
            **color_variables(scope.environment, colors),
            **secrets,
        }
        with whole_lines(lambda line: say(host.name, secrets.redact(line))) as hear:
            fleet.sessions[host.name].ask(
                Ran,
                "run",
                Asked(timeout=timeout + scope.environment.limits.answer, on_event=hear),
                version=version,
                name=_NAME,
                command=with_umask(command, host),
                env=given,
                timeout=timeout,
            )

    opening = Opening(app=scope.app)
    reach = connect or connector(scope.hosts)
    with Fleet(reach, opening, environment=scope.environment, redact=secrets.redact) as fleet:
        failures = on_each(scope.hosts, run_one).failures
    if failures:
        count = f"{len(failures)} of {counted(len(scope.hosts), 'host')}"
        raise CommandFailed(f"the command failed on {count}", [_worded(f) for f in failures])


def _worded(failure: HostError) -> HostError:
    """Return a failure as one of a person's own command, which is no step of castoff.toml."""
    if failure.code not in ("step-failed", "step-timeout"):
        return failure
    late = failure.code == "step-timeout"
    return HostError(
        failure.host,
        failure.detail.replace(f"step {_NAME!r}", "the command"),
        code=failure.code,
        hint="Give it more time: castoff run --timeout SECONDS" if late else failure.hint,
    )
