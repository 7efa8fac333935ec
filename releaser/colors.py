"""Which of a host's two instances a step is about, and what that gives its command; no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from castoff.config.model import Environment, Strategy


@dataclass(frozen=True, slots=True)
class Colors:
    """The colours of one host, each None where there is none.

    Attributes:
        own: That of the instance that steps are about now.
        live: That of the instance that serves.
    """

    own: str | None
    live: str | None


def paired(environment: Environment) -> bool:
    """Whether releases are made to a second instance on each host."""
    return environment.strategy.kind == "blue-green"


def gated(strategy: Strategy) -> bool:
    """Whether something lies between idle instances that are healthy and the flip to them."""
    return bool(strategy.soak) or strategy.command is not None or strategy.ask


def color_variables(environment: Environment, colors: Colors | None) -> dict[str, str]:
    """Return the environment variables that a step has for its colour; none without colours."""
    if colors is None:
        return {}
    strategy = environment.strategy
    own = {None: {}, "blue": strategy.blue, "green": strategy.green}[colors.own]
    return {"CASTOFF_COLOR": colors.own or "", "CASTOFF_LIVE_COLOR": colors.live or "", **own}
