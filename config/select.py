"""Which app and which environment a command means."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from castoff.config.nearest import nearest
from castoff.store.errors import UsageError

if TYPE_CHECKING:
    from castoff.config.model import App, Config, Environment


def select_app(config: Config, name: str | None) -> tuple[str, App]:
    """Return the app of that name; without one, the default or the only app.

    Raises:
        UsageError: There is no such app, or there are several and no default.
    """
    chosen = choose("app", config.apps, name, config.default_app)
    return chosen, config.apps[chosen]


def select_environment(config: Config, name: str | None) -> tuple[str, Environment]:
    """Return the environment of that name; without one, the default or the only environment.

    Raises:
        UsageError: There is no such environment, none at all, or several and no default.
    """
    chosen = choose("environment", config.environments, name, config.default_environment)
    return chosen, config.environments[chosen]


def choose(kind: str, known: Collection[str], name: str | None, default: str | None) -> str:
    """Return the name that is meant: the one given, or the default, or the only one.

    Args:
        kind: `app` or `environment`.
        known: The names that castoff.toml has.
        name: The one that a command names.
        default: What castoff.toml says where it names none.

    Raises:
        UsageError: There is none of that name, none at all, or several and no default.
    """
    if not known:
        raise UsageError(
            f"castoff.toml has no {kind}", hint=f"Add a table [{kind}s.NAME] to castoff.toml."
        )
    chosen = name if name is not None else default
    if chosen is None and len(known) == 1:
        chosen = next(iter(known))
    names = ", ".join(known)
    if chosen is None:
        raise UsageError(
            f"castoff.toml has several {kind}s: {names}",
            hint=f"Name one of them, or set default_{kind} in castoff.toml.",
        )
    if chosen not in known:
        meant = nearest(chosen, known)
        question = f"; did you mean {meant!r}?" if meant else ""
        raise UsageError(
            f"castoff.toml has no {kind} {chosen!r}{question}", hint=f"There is: {names}."
        )
    return chosen
