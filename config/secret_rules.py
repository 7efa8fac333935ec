"""What the parts of a secret's table owe each other, and steps the secrets that they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from castoff.config.errors import KeyPath, Misfit
from castoff.config.nearest import nearest

if TYPE_CHECKING:
    from castoff.config.secret_tables import Secret

_OURS = "CASTOFF_"
# The sources that each key which says more belongs to.
_GOES_WITH = {
    "field": ("secretsmanager",),
    "key": ("sops",),
    "identity": ("age", "sops"),
    "region": ("ssm", "secretsmanager"),
    "profile": ("ssm", "secretsmanager"),
}
_NEEDS = (("age", "identity"), ("sops", "key"))


def no_name_of_ours(name: str) -> str:
    """Return the name of a secret as it is.

    Raises:
        ValueError: It starts as the variables that Castoff itself gives to steps.
    """
    if name.startswith(_OURS):
        raise ValueError(f"must not start with {_OURS!r}")
    return name


def secret(table: Secret, sources: Sequence[str]) -> Iterator[Misfit]:
    """Yield what is wrong with a secret that is in no place or two, or described by halves."""
    given = [key for key in sources if getattr(table, key) is not None]
    if len(given) != 1:
        named = ", ".join(map(repr, sources[:-1]))
        yield Misfit((), f"needs one of {named} or {sources[-1]!r}, and only one")
        return
    for key, owners in _GOES_WITH.items():
        if getattr(table, key) is not None and given[0] not in owners:
            names = " or ".join(map(repr, owners))
            yield Misfit((key,), f"{key!r} goes with {names}, not with {given[0]!r}")
    for source, needed in _NEEDS:
        if source in given and getattr(table, needed) is None:
            yield Misfit((source,), f"{source!r} needs {needed!r}")


def known(
    at: KeyPath, user: str, wanted: Sequence[str], secrets: Iterable[str]
) -> Iterator[Misfit]:
    """Yield names of secrets that are not under [environments.NAME.secrets].

    Args:
        at: Where the list of names stands, counted from the environment.
        user: What names them, for the message.
        wanted: The names.
        secrets: The names that there are.
    """
    there = tuple(secrets)
    for index, name in enumerate(wanted):
        if name not in there:
            yield Misfit(
                (*at, index),
                f"{user} wants the secret {name!r}, which is not under [environments.NAME.secrets]",
                nearest(name, there),
            )
