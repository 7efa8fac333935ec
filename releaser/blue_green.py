"""Blue-green: start the idle instance beside the one that serves, and see that it is healthy."""

from __future__ import annotations

from castoff.config.hosts import ResolvedHost
from castoff.releaser.activate import AFTER, confirm, flip, run_steps
from castoff.releaser.colors import Colors
from castoff.releaser.errors import HostError, NotActivated
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.on_each import on_each
from castoff.releaser.replies import Nothing, TakenColor
from castoff.releaser.session import Asked
from castoff.releaser.steps import steps_on
from castoff.releaser.timeline import Timeline

# What a check answers that did not find the instance healthy, rather than could not look.
_NOT_HEALTHY = ("step-failed", "step-timeout", "unhealthy")


def start_idle(job: Job, fleet: Fleet, timeline: Timeline) -> None:
    """Bring the version up in the idle colour of every host; what serves is left alone.

    An instance of it that an earlier run has found healthy there is checked, and only started
    anew if that fails: on a rollback, and when this very run is resumed.

    Raises:
        NotActivated: On some host it did not come up.
    """

    def start_one(host: ResolvedHost) -> None:
        _settle(job, fleet, timeline, host)
        taken = fleet.sessions[host.name].ask(
            TakenColor,
            "color",
            Asked(timeout=job.environment.limits.answer),
            version=job.version,
            release=job.release,
        )
        fleet.colors[host.name] = Colors(own=taken.color, live=taken.live)
        trusted = taken.ready and (job.kind == "rollback" or taken.release == job.release)
        bring_up(job, fleet, timeline, host, job.version, trusted=trusted)

    failures = on_each(job.hosts, start_one).failures
    if failures:
        raise NotActivated(
            f"nothing was activated: {job.version} did not come up beside what serves", failures
        )


def bring_up(
    job: Job,
    fleet: Fleet,
    timeline: Timeline,
    host: ResolvedHost,
    version: str,
    *,
    trusted: bool,
) -> None:
    """Have a healthy instance of a version in the host's colour that steps are about.

    Args:
        job: The job.
        fleet: Whose sessions are used; `colors` names the colour.
        timeline: Where the steps are recorded.
        host: The host.
        version: What the colour has.
        trusted: Whether an instance that its checks find healthy need not be started anew.

    Raises:
        HostError: It cannot be started, or is not healthy then.
    """
    if trusted and steps_on(job, "check_idle", host):
        try:
            run_steps(job, fleet, timeline, host, version, ("check_idle",))
        except HostError as error:
            if error.code not in _NOT_HEALTHY:
                raise
            timeline.watch.note(f"{error.message}; it is started anew")
        else:
            return
    _note(job, fleet, host, version, ready=False)
    run_steps(job, fleet, timeline, host, version, ("start_idle", "check_idle"))
    _note(job, fleet, host, version, ready=True)


def _settle(job: Job, fleet: Fleet, timeline: Timeline, host: ResolvedHost) -> None:
    """Bring a host back to its good colour which another run has left between the two.

    Either may serve there, so that neither could be started anew without harm.

    Raises:
        HostError: It cannot be brought back.
    """
    state = fleet.opened[host.name].state
    if state.intent is None or state.intent.release == job.release:
        return
    if state.good is None or state.color is None:
        return
    timeline.watch.note(
        f"{host.name} was left between two colours: first it goes back to {state.good}"
    )
    fleet.colors[host.name] = Colors(own=state.color, live=state.color)
    flip(job, fleet, timeline, host, state.good)
    bring_up(job, fleet, timeline, host, state.good, trusted=True)
    run_steps(job, fleet, timeline, host, state.good, AFTER)
    confirm(job, fleet, host, state.good)


def _note(job: Job, fleet: Fleet, host: ResolvedHost, version: str, *, ready: bool) -> None:
    fleet.sessions[host.name].ask(
        Nothing,
        "ready",
        Asked(timeout=job.environment.limits.answer),
        color=fleet.colors[host.name].own,
        version=version,
        release=job.release,
        ready=ready,
    )
