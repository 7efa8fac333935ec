"""Run one step of the configuration on one host: a command, or a check over HTTP."""

from __future__ import annotations

from castoff.config.hosts import ResolvedHost
from castoff.config.model import Step
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.replies import Ran
from castoff.releaser.session import Asked, Event
from castoff.releaser.steps import variables, with_umask
from castoff.releaser.timeline import Timeline


def run_step(
    job: Job, fleet: Fleet, timeline: Timeline, step: Step, host: ResolvedHost, version: str
) -> None:
    """Run a step in the release `version` on a host, its output passed on line by line.

    Raises:
        HostError: The command failed or ran out of time, or the check did not succeed.
    """
    session = fleet.sessions[host.name]
    watch = timeline.watch
    limit = job.within(host.name, step.timeout)

    def on_event(event: Event) -> None:
        if event.get("event") == "output":
            watch.output(host.name, step.name, str(event.get("text", "")).rstrip("\n"))

    # The agent enforces the step's own limit and then needs a moment to end it and to say so.
    patience = limit + job.environment.limits.answer
    asked = Asked(timeout=patience, on_event=on_event)
    with timeline.step(host.name, step.name):
        if step.command is not None:
            session.ask(
                Ran,
                "run",
                asked,
                version=version,
                name=step.name,
                command=with_umask(step.command, host),
                env={**variables(job, host, version), **step.env},
                timeout=limit,
            )
        elif step.http is not None:
            contains = step.http.contains
            session.ask(
                Ran,
                "http",
                asked,
                version=version,
                url=_filled(step.http.url, host),
                status=step.http.status,
                contains=None if contains is None else contains.replace("{version}", version),
                successes=step.http.successes,
                interval=step.http.interval,
                timeout=limit,
            )


def _filled(url: str, host: ResolvedHost) -> str:
    """Fill `{NAME}` from the host's variables, so that one step serves hosts on several ports."""
    for name, value in host.env.items():
        url = url.replace(f"{{{name}}}", value)
    return url
