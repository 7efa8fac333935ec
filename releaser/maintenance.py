"""The maintenance page: on or off on all hosts at once, by itself or around a release."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from castoff.config.errors import ConfigError
from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import FleetError, HostError, Mixed, NotActivated, PreflightFailed
from castoff.releaser.fleet import Fleet, Opening
from castoff.releaser.job import Scope
from castoff.releaser.on_each import on_each
from castoff.releaser.page import PLAIN_PAGE
from castoff.releaser.replies import Page, Switched
from castoff.releaser.session import Asked
from castoff.releaser.tail import storable
from castoff.releaser.timeline import Timeline
from castoff.releaser.transports.connect import Connect, connector
from castoff.store import history, lease
from castoff.store.deed import DeedDraft
from castoff.store.errors import StoreError

ON, OFF = "maintenance on", "maintenance off"


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a switch.

    Attributes:
        hosts: How many hosts it was about.
        skew: Seconds between the first host's switch and the last one's, by their clocks.
    """

    hosts: int
    skew: float


def page_of(scope: Scope) -> str:
    """Return the environment's page, or a plain one where it has none.

    Raises:
        ConfigError: The file that is named cannot be read, or is not UTF-8.
    """
    name = scope.environment.maintenance_page
    if name is None:
        return PLAIN_PAGE
    path = (scope.base or Path()) / name
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or "not UTF-8"
        raise ConfigError(
            f"the maintenance page {path} cannot be read: {what}",
            hint=f"Mend `maintenance_page` in [environments.{scope.environment_name}].",
        ) from error


def switch(
    scope: Scope, page: str | None, *, reason: str = "", connect: Connect | None = None
) -> Done:
    """Switch the page on or off on all hosts of a scope, and note it in the history.

    A freeze does not hinder it: what would be served without the page stays as it is.

    Args:
        scope: Whose hosts.
        page: The page, HTML; None switches it off.
        reason: Why, for the history.
        connect: How hosts are reached; default: as configured.

    Raises:
        Locked: Somebody is at work on the environment.
        PreflightFailed: Some host cannot be reached or not take the page; nothing was changed.
        NotActivated: Some host could not be switched, and the others were switched back.
        Mixed: The same, and some of those could not be.
        StoreError: The store cannot be read or written.
    """
    what = OFF if page is None else ON
    held = (scope.store, scope.app, scope.environment_name)
    with lease.held(
        *held, owner=scope.who, reason=what, ttl=scope.environment.limits.lease
    ) as heartbeat:
        opening = Opening(
            app=scope.app,
            token=heartbeat.lease.token,
            owner=f"{what} by {scope.who}",
            lock=True,
        )
        with Fleet(
            connect or connector(scope.hosts), opening, environment=scope.environment
        ) as fleet:
            names = _ready(scope, fleet, page)
            heartbeat.check()
            try:
                done = _at_once(scope, fleet, names)
            except FleetError as failed:
                # What is said to whoever did it is more than that it could not be written down.
                with suppress(StoreError):
                    _note(scope, page, reason, trouble=failed.message)
                raise
        _note(scope, page, reason)
    return done


def _note(scope: Scope, page: str | None, reason: str, *, trouble: str = "") -> None:
    history.append_deed(
        scope.store,
        scope.app,
        scope.environment_name,
        DeedDraft(
            kind="maintenance on" if page is not None else "maintenance off",
            who=scope.who,
            job_url=scope.job_url,
            at=time.time(),
            reason=reason,
            only=scope.partial,
            trouble=storable(trouble),
        ),
    )


def show(fleet: Fleet, timeline: Timeline, scope: Scope, hosts: Sequence[ResolvedHost]) -> None:
    """Switch the page on in the middle of a release.

    Raises:
        NotActivated: On some host it could not be; where it was, it is on.
    """
    page = page_of(scope)
    answer = scope.environment.limits.answer

    def put_one(host: ResolvedHost) -> str:
        return _put(fleet, host, page, answer)

    put = on_each(hosts, put_one)
    failures = put.failures

    def show_one(host: ResolvedHost) -> None:
        with timeline.step(host.name, ON):
            _switch(fleet, host, put.values[host.name], answer)

    if not failures:
        failures = on_each(hosts, show_one).failures
    if failures:
        raise NotActivated(
            "nothing was activated: the maintenance page could not be switched on", failures
        )


def hide(
    fleet: Fleet, timeline: Timeline, scope: Scope, hosts: Sequence[ResolvedHost]
) -> list[HostError]:
    """Switch the page off in the middle of a release; return the failures."""

    def hide_one(host: ResolvedHost) -> None:
        with timeline.step(host.name, OFF):
            _switch(fleet, host, None, scope.environment.limits.answer)

    return on_each(hosts, hide_one).failures


def _ready(scope: Scope, fleet: Fleet, page: str | None) -> dict[str, str | None]:
    """Reach all hosts and put the page there; return its name on each."""
    answer = scope.environment.limits.answer

    def ready_one(host: ResolvedHost) -> str | None:
        fleet.open(host)
        return None if page is None else _put(fleet, host, page, answer)

    results = on_each(scope.hosts, ready_one)
    if results.failures:
        names = ",".join(failure.host for failure in results.failures)
        raise PreflightFailed(
            "nothing was switched: not every host can be",
            results.failures,
            hint=f"Mend what is said above, or go on without them: --except {names}",
        )
    return results.values


def _at_once(scope: Scope, fleet: Fleet, names: Mapping[str, str | None]) -> Done:
    answer = scope.environment.limits.answer
    results = on_each(scope.hosts, lambda host: _switch(fleet, host, names[host.name], answer))
    if not results.failures:
        times = [switched.at for switched in results.values.values()]
        return Done(hosts=len(times), skew=max(times) - min(times))
    switched = [host for host in scope.hosts if host.name in results.values]
    back = on_each(
        switched,
        lambda host: _switch(fleet, host, results.values[host.name].before, answer),
    )
    if back.failures:
        raise Mixed(
            "MIXED: not every host could be switched, nor switched back",
            [*results.failures, *back.failures],
            hint="`castoff status` shows where the page is on.",
        )
    raise NotActivated("not every host could be switched; all are as before", results.failures)


def _put(fleet: Fleet, host: ResolvedHost, page: str, limit: float) -> str:
    return fleet.sessions[host.name].ask(Page, "page", Asked(timeout=limit), text=page).page


def _switch(fleet: Fleet, host: ResolvedHost, page: str | None, limit: float) -> Switched:
    return fleet.sessions[host.name].ask(Switched, "maintenance", Asked(timeout=limit), page=page)
