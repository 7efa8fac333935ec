"""Run one step of the configuration on one host."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from castoff.config.hosts import ResolvedHost
from castoff.config.model import Step
from castoff.releaser.backups.take import take
from castoff.releaser.built_in import ask_built_in, filled, perform
from castoff.releaser.colors import color_variables
from castoff.releaser.controller_step import run_here
from castoff.releaser.errors import HostError
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job, Scope
from castoff.releaser.replies import Ran
from castoff.releaser.retry import STEP_FAILURES, of_step, retrying
from castoff.releaser.session import AgentSession, Asked
from castoff.releaser.steps import variables, with_umask
from castoff.releaser.timeline import Timeline
from castoff.releaser.whole_lines import whole_lines


def run_step(
    job: Job,
    fleet: Fleet,
    timeline: Timeline,
    step: Step,
    host: ResolvedHost,
    version: str,
    more: Mapping[str, object] = MappingProxyType({}),
) -> None:
    """Run a step in the release `version` on a host, its output passed on line by line.

    It is tried again as often as it says itself. A migration gets what is in `more` beside the
    options of its table.

    Raises:
        HostError: It failed or ran out of time, and that is not to be a warning alone.
    """
    watch = timeline.watch
    # As it is now: after an interrupt the fleet has another one, for the way back.
    stopped = fleet.stopped

    def say(line: str) -> None:
        watch.output(host.name, step.name, line)

    def attempt() -> None:
        limit = job.within(host.name, step.timeout)
        own = color_variables(job.environment, fleet.colors.get(host.name))
        given = {
            **variables(job, host, version),
            **own,
            **step.env,
            **job.secrets.only(step.secrets),
        }
        if step.command is not None and step.run_on == "controller":
            run_here(
                host.name,
                step.name,
                step.command,
                folder=job.scope.base,
                variables={**given, "CASTOFF_ADDRESS": host.address, "CASTOFF_ROOT": host.root},
                limit=limit,
                say=say,
                stopped=stopped,
            )
            return
        with whole_lines(say) as hear:
            # The agent enforces the limit itself and then needs a moment to end it and to say so.
            asked = Asked(timeout=limit + job.environment.limits.answer, on_event=hear)
            session = fleet.sessions[host.name]
            _ask(job.scope, session, step, version, given, asked=asked, limit=limit, more=more)

    try:
        retrying(job, fleet, timeline, host, step.name, retries=of_step(step), action=attempt)
    except HostError as failure:
        if step.on_failure == "fail" or failure.code not in STEP_FAILURES:
            raise
        watch.note(f"warning: {failure.message}; the run goes on")


def _ask(
    scope: Scope,
    session: AgentSession,
    step: Step,
    version: str,
    given: Mapping[str, str],
    *,
    asked: Asked,
    limit: float,
    more: Mapping[str, object],
) -> None:
    """Have a step done by the agent on its host."""
    if step.command is not None:
        session.ask(
            Ran,
            "run",
            asked,
            version=version,
            name=step.name,
            command=with_umask(step.command, session.host),
            env=given,
            user=step.user,
            timeout=limit,
        )
    elif step.backup is not None:
        take(scope, session, step, asked, version=version, given=given, limit=limit)
    elif step.migrate is not None:
        # Its commands are the shell's, which fills in variables itself.
        options = {**step.migrate.model_dump(mode="json"), **more, "umask": session.host.umask}
        ask_built_in(
            session,
            "migrate",
            asked,
            version=version,
            name=step.name,
            options=options,
            env=dict(given),
            user=step.user,
            timeout=limit,
        )
    elif step.http is None:
        perform(session, step, asked, version=version, given=given, limit=limit)
    else:
        session.ask(
            Ran,
            "http",
            asked,
            version=version,
            **filled(step.http.model_dump(mode="json"), {**given, "version": version}),
            timeout=limit,
        )
