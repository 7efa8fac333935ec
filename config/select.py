"""Which app and which environment a command means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from castoff.config.model import App, Config, Environment
from castoff.config.nearest import nearest
from castoff.store.errors import UsageError

_T = TypeVar("_T")


def select_app(config: Config, name: str | None) -> tuple[str, App]:
    """Return the app of that name; without one, the default or the only app.

    Raises:
        UsageError: There is no such app, or there are several and no default.
    """
    return _select("app", config.apps, name, config.default_app)


def select_environment(config: Config, name: str | None) -> tuple[str, Environment]:
    """Return the environment of that name; without one, the default or the only environment.

    Raises:
        UsageError: There is no such environment, none at all, or several and no default.
    """
    return _select("environment", config.environments, name, config.default_environment)


def _select(
    kind: str, table: Mapping[str, _T], name: str | None, default: str | None
) -> tuple[str, _T]:
    if not table:
        raise UsageError(
            f"castoff.toml has no {kind}", hint=f"Add a table [{kind}s.NAME] to castoff.toml."
        )
    chosen = name if name is not None else default
    if chosen is None and len(table) == 1:
        chosen = next(iter(table))
    names = ", ".join(table)
    if chosen is None:
        raise UsageError(
            f"castoff.toml has several {kind}s: {names}",
            hint=f"Name one of them, or set default_{kind} in castoff.toml.",
        )
    if chosen not in table:
        meant = nearest(chosen, table)
        question = f"; did you mean {meant!r}?" if meant else ""
        raise UsageError(
            f"castoff.toml has no {kind} {chosen!r}{question}", hint=f"There is: {names}."
        )
    return chosen, table[chosen]
