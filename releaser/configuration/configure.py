"""Bring a host its rendered files, and have it judge them."""

from __future__ import annotations

from collections.abc import Sequence

from castoff.config.hosts import ResolvedHost
from castoff.releaser.built_in import ask_built_in
from castoff.releaser.configuration.files import check_of
from castoff.releaser.configuration.rendered import Configuration, RenderedFile
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.replies import Configured, parse
from castoff.releaser.retry import of_preparing, retrying
from castoff.releaser.session import Asked
from castoff.releaser.steps import variables
from castoff.releaser.timeline import Timeline
from castoff.releaser.whole_lines import whole_lines

STEP = "configure"


def configure(
    job: Job, fleet: Fleet, timeline: Timeline, host: ResolvedHost, configuration: Configuration
) -> None:
    """Have a host take its files in; its flip brings them into use.

    A host that has no files, and never had any, is not asked.

    Raises:
        HostError: A program does not take its file, or the host cannot have it.
    """
    files = configuration.of(host)
    if not files and not fleet.opened[host.name].state.configured:
        return

    def attempt() -> Configured:
        return _ask(job, fleet, timeline, host, files)

    again = of_preparing(job)
    done = retrying(job, fleet, timeline, host, STEP, retries=again, action=attempt)
    fleet.configs[host.name] = done.config
    for note in done.notes:
        timeline.watch.note(f"{host.name}: {note}")


def _ask(
    job: Job,
    fleet: Fleet,
    timeline: Timeline,
    host: ResolvedHost,
    files: Sequence[RenderedFile],
) -> Configured:
    limits = job.environment.limits
    checks = sum(check["timeout"] for file in files if (check := check_of(file.file)))
    limit = job.within(host.name, checks + limits.answer)
    with whole_lines(lambda line: timeline.watch.output(host.name, STEP, line)) as hear:
        answer = ask_built_in(
            fleet.sessions[host.name],
            "configure",
            Asked(timeout=limit + limits.answer, on_event=hear),
            version=job.version,
            name=STEP,
            options={"files": [file.request() for file in files]},
            env=variables(job, host, job.version),
            user=None,
            timeout=limit,
        )
    return parse(Configured, answer.model_dump(), host=host.name)
