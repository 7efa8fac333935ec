"""Work on an environment's data outside a release: its lease, its hosts, its secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from castoff.config.hosts import ResolvedHost
from castoff.config.model import Step
from castoff.releaser.colors import Colors, color_variables, paired
from castoff.releaser.errors import HostError
from castoff.releaser.fleet import Fleet, Opening
from castoff.releaser.job import Scope
from castoff.releaser.secrets.named import find_named
from castoff.releaser.secrets.secrets import Secrets
from castoff.releaser.steps import leader, runs_on, variables
from castoff.releaser.transports.connect import Connect, connector
from castoff.store import lease
from castoff.store.errors import UsageError

Say = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class AtWork:
    """An environment that nobody else changes meanwhile.

    Attributes:
        secrets: Those that the steps name.
    """

    scope: Scope
    fleet: Fleet
    secrets: Secrets

    def open(self, step: Step, host: ResolvedHost) -> tuple[str, dict[str, str]]:
        """Reach a host; return the version that it serves, and the variables of a step there.

        Raises:
            HostError: It cannot be reached, or serves nothing.
        """
        if host.name not in self.fleet.sessions:
            self.fleet.open(host)
        state = self.fleet.opened[host.name].state
        if state.current is None:
            raise HostError(host.name, "nothing is live there", hint="castoff release VERSION")
        colors = Colors(own=state.color, live=state.color)
        return state.current, {
            **variables(self.scope, host, state.current),
            **color_variables(
                self.scope.environment, colors if paired(self.scope.environment) else None
            ),
            **step.env,
            **self.secrets.only(step.secrets),
        }


@contextmanager
def at_work(
    scope: Scope, reason: str, steps: Iterable[Step], *, connect: Connect | None
) -> Iterator[AtWork]:
    """Find the steps' secrets, take the environment's lease, and yield a way to its hosts.

    Raises:
        SecretsMissing: Some cannot be had.
        Locked: Somebody else is at work on the environment.
        StoreError: The store cannot be read or written.
    """
    secrets = find_named(scope, {name for step in steps for name in step.secrets})
    environment = scope.environment
    with lease.held(
        scope.store,
        scope.app,
        scope.environment_name,
        owner=scope.who,
        reason=reason,
        ttl=environment.limits.lease,
    ) as heartbeat:
        opening = Opening(
            app=scope.app,
            token=heartbeat.lease.token,
            owner=f"{reason} by {scope.who}",
            lock=True,
        )
        reach = connect or connector(scope.hosts)
        with Fleet(reach, opening, environment=environment, redact=secrets.redact) as fleet:
            yield AtWork(scope, fleet, secrets)


def backup_steps(scope: Scope, name: str | None = None) -> list[Step]:
    """Return the app's steps that make back-ups: all, or the one of a name.

    Raises:
        UsageError: There is none.
    """
    found = [
        step
        for step in scope.environment.steps
        if step.backup is not None and (not step.apps or scope.app in step.apps)
    ]
    chosen = [step for step in found if name in (None, step.name)]
    if chosen:
        return chosen
    where = f"[environments.{scope.environment_name}]"
    if name is not None and found:
        names = ", ".join(step.name for step in found)
        raise UsageError(
            f"{where} has no back-up step {name!r}", hint=f"Its back-up steps: {names}."
        )
    raise UsageError(
        f"{where} has no step that makes a back-up",
        hint="Add one with a table `backup`: docs/how-to/back-ups.md.",
    )


def hosts_of(scope: Scope, step: Step) -> list[ResolvedHost]:
    """Return the hosts that a step makes back-ups on: its leader, or each that it is for."""
    if step.once or step.moment in ("backup", "once"):
        first = leader(step, scope.hosts)
        return [] if first is None else [first]
    return [host for host in scope.hosts if runs_on(step, host)]
