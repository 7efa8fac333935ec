"""What the parts of a secret's table owe each other, and steps the secrets that they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from castoff.config import values
from castoff.config.errors import KeyPath, Misfit
from castoff.config.nearest import nearest

if TYPE_CHECKING:
    from castoff.config.environment_tables import Environment
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


def environment(env: Environment) -> Iterator[Misfit]:
    """Yield what does not fit among an environment's files of secrets, hosts and secrets."""
    roles = sorted({role for host in env.hosts for role in host.roles})
    for number, one in enumerate(env.secret_files):
        what, at = f"the file {one.path!r}", ("secret_files", number)
        yield from known((*at, "secrets"), what, one.secrets, env.secrets)
        for index, role in enumerate(one.roles):
            if role not in roles and env.hosts_from is None:
                yield Misfit(
                    (*at, "roles", index),
                    f"{what} is for role {role!r}, which no host has",
                    nearest(role, roles),
                )


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


def private_mode(text: str) -> str:
    """Return three or four octal digits as they are.

    Raises:
        ValueError: They are not that, or let everybody read or write.
    """
    values.mode(text)
    if not text.endswith("0"):
        raise ValueError("must end in 0: not everybody may read a secret")
    return text
