"""Ask a host's agent for a built-in step, whose code is sent to hosts that have not kept it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from castoff.config.model import Step
from castoff.config.placeholders import filled_as_known
from castoff.releaser.bundle import built_ins, built_ins_name
from castoff.releaser.replies import Loaded, Performed
from castoff.releaser.session import AgentSession, Asked


def perform(
    session: AgentSession,
    step: Step,
    asked: Asked,
    *,
    version: str,
    given: Mapping[str, str],
    limit: float,
) -> Performed:
    """Have a built-in step done; return what it found.

    Args:
        session: The host's.
        step: The step, which has a built-in.
        asked: How long to wait for the answer, and who hears what comes before it.
        version: The release that it is about.
        given: Its variables; those texts of its table that hold `{NAME}` are filled from them.
        limit: Seconds that it may take.

    Raises:
        HostError: It failed, or the host does not answer.
    """
    kind = step.built_in
    if kind is None:
        raise ValueError(f"step {step.name!r} has no built-in")
    options = getattr(step, kind).model_dump(mode="json")
    return ask_built_in(
        session,
        kind,
        asked,
        version=version,
        name=step.name,
        options=filled(options, {**given, "version": version}),
        env=dict(given),
        user=step.user,
        timeout=limit,
    )


def ask_built_in(session: AgentSession, what: str, asked: Asked, **parameters: Any) -> Performed:
    """Ask for something that is done by code which goes to hosts only where it is needed.

    Raises:
        HostError: It failed, or the host does not answer.
    """
    if not session.has_built_ins:
        if not session.ask(Loaded, "load", asked, **built_ins_name()).here:
            session.ask(Loaded, "load", asked, modules=built_ins())
        session.has_built_ins = True
    return session.ask(Performed, "built_in", asked, what=what, **parameters)


def filled(value: Any, variables: Mapping[str, str]) -> Any:
    """Return a table's value, each `{NAME}` in its texts that is a variable's filled from that."""
    if isinstance(value, str):
        return filled_as_known(value, variables)
    if isinstance(value, dict):
        return {key: filled(inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, variables) for inner in value]
    return value
