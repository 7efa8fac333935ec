"""Some hosts of an environment instead of all; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from castoff.config.hosts import ResolvedHost
from castoff.config.model import Environment
from castoff.config.nearest import nearest
from castoff.releaser.job import Scope
from castoff.releaser.steps import runs_on, waits_for_all
from castoff.store.errors import UsageError

_ROLE = "role:"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which hosts a command names: `web1,web2,role:worker`; None for no word on it."""

    only: str | None = None
    without: str | None = None


def narrow(scope: Scope, choice: Choice) -> Scope:
    """Return a scope with the chosen hosts alone; `partial` says so if others are left.

    Raises:
        UsageError: A host or role that is not there is named, or nobody is left.
    """
    hosts = scope.hosts
    words = []
    if choice.only is not None:
        chosen = _meant(choice.only, scope)
        hosts = tuple(host for host in hosts if chosen(host))
        words.append(f"only {_spelling(choice.only)}")
    if choice.without is not None:
        left_out = _meant(choice.without, scope)
        hosts = tuple(host for host in hosts if not left_out(host))
        words.append(f"all except {_spelling(choice.without)}")
    if words and not hosts:
        raise UsageError(
            f"no host of {scope.environment_name} is left: {', '.join(words)}",
            hint=f"There is: {', '.join(host.name for host in scope.hosts)}.",
        )
    if len(hosts) == len(scope.hosts):
        return scope
    return replace(
        scope,
        hosts=hosts,
        environment=narrowed(scope.environment, hosts),
        partial=", ".join(words),
    )


def narrowed(environment: Environment, hosts: Sequence[ResolvedHost]) -> Environment:
    """Return an environment whose canaries are among these hosts; without any, the first is."""
    names = {host.name for host in hosts} | {role for host in hosts for role in host.roles}
    there = tuple(name for name in environment.strategy.canary if name in names)
    strategy = environment.strategy.model_copy(update={"canary": there})
    return environment.model_copy(update={"strategy": strategy})


def homeless_steps(scope: Scope) -> tuple[str, ...]:
    """Return the once-only steps that no chosen host can lead, so that they do not run."""
    return tuple(
        step.name
        for step in scope.environment.steps
        if (step.moment in ("backup", "once") or waits_for_all(step))
        and (not step.apps or scope.app in step.apps)
        and not any(runs_on(step, host) for host in scope.hosts)
    )


def _meant(text: str, scope: Scope) -> Callable[[ResolvedHost], bool]:
    names = {host.name for host in scope.hosts}
    roles = {role for host in scope.hosts for role in host.roles}
    known = sorted(names) + sorted(_ROLE + role for role in roles)
    wanted = set(_parts(text))
    for part in sorted(wanted):
        if part not in known:
            meant = nearest(part, known)
            question = f"; did you mean {meant!r}?" if meant else ""
            raise UsageError(
                f"{scope.environment_name} has no host {part!r}{question}"
                if not part.startswith(_ROLE)
                else f"no host of {scope.environment_name} has the role "
                f"{part.removeprefix(_ROLE)!r}{question}",
                hint=f"There is: {', '.join(known)}.",
            )
    return lambda host: host.name in wanted or any(_ROLE + role in wanted for role in host.roles)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _spelling(text: str) -> str:
    return ", ".join(_parts(text))
