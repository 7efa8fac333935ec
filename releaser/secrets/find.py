"""Find secrets where castoff.toml says they are: all at once, and tell all that cannot be had."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from castoff.config.errors import ConfigError
from castoff.config.model import Secret
from castoff.releaser.secrets.errors import NotFound, SecretsMissing
from castoff.releaser.secrets.forms import LEAST
from castoff.releaser.secrets.secrets import NONE, Secrets

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_THREADS = 16
# What Linux lets one variable of a new process hold is 128 KiB (execve(2), MAX_ARG_STRLEN).
_MOST_BYTES = 100_000


def find_all(wanted: Mapping[str, Secret], base: Path, *, environment: str) -> Secrets:
    """Return the values of secrets by their names.

    Args:
        wanted: Where each is, by its name.
        base: Folder of castoff.toml.
        environment: The environment's name, for what is told.

    Raises:
        SecretsMissing: Some cannot be had; all of those are named.
    """
    if not wanted:
        return NONE
    found = try_all(wanted, base)
    failures = [
        (name, described(wanted[name]), result)
        for name, result in found.items()
        if isinstance(result, NotFound)
    ]
    if failures:
        raise SecretsMissing(environment, failures, before="nothing was done: ")
    return Secrets({name: one for name, one in found.items() if isinstance(one, str)})


def try_all(wanted: Mapping[str, Secret], base: Path) -> dict[str, str | NotFound]:
    """Return each secret's value, or why it cannot be had, in the order given."""
    if not wanted:
        return {}
    with ThreadPoolExecutor(min(_MOST_THREADS, len(wanted)), thread_name_prefix="secret") as pool:
        found = pool.map(lambda secret: _try_one(secret, base), wanted.values())
        return dict(zip(wanted, found, strict=True))


def described(secret: Secret) -> str:
    """Return where a secret is, in a few words."""
    source = secret.source
    if source == "command":
        # What its arguments say of a vault is nobody's business but castoff.toml's.
        return "command"
    more = {"secretsmanager": secret.field, "sops": secret.key}.get(source)
    place = f"{source} {getattr(secret, source)}"
    return place if more is None else f"{place}, {more}"


def _try_one(secret: Secret, base: Path) -> str | NotFound:
    try:
        value = _finder(secret.source)(secret, base)
    except NotFound as failure:
        return failure
    except ConfigError as failure:
        return NotFound(failure.message, failure.hint)
    return _judged(value)


def _judged(value: str) -> str | NotFound:
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        # Without the cause: that holds the value.
        return NotFound("it is not text in UTF-8")
    if "\0" in value:
        return NotFound("it holds a NUL byte, which no variable can")
    if size > _MOST_BYTES:
        return NotFound(f"it is larger than {_MOST_BYTES} bytes")
    if len(value.strip()) < LEAST:
        what = "is empty" if not value else f"has fewer than {LEAST} characters"
        return NotFound(
            f"it {what}", "What is that short cannot be kept out of logs: take a longer secret."
        )
    return value


# Each with its own import: boto3 costs half a second.


def _finder(source: str) -> Callable[[Secret, Path], str]:
    if source == "ssm":
        from castoff.releaser.secrets.from_ssm import find as from_ssm

        return from_ssm
    if source == "secretsmanager":
        from castoff.releaser.secrets.from_secretsmanager import find as from_secretsmanager

        return from_secretsmanager
    from castoff.releaser.secrets import from_age, from_command, from_env, from_file, from_sops

    finders: dict[str, Callable[[Secret, Path], str]] = {
        "env": from_env.find,
        "file": from_file.find,
        "command": from_command.find,
        "age": from_age.find,
        "sops": from_sops.find,
    }
    return finders[source]
