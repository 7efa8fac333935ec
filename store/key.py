"""What a key may be made of, checked by every backend before it touches anything."""

from __future__ import annotations

import re

from castoff.store.errors import UsageError

_PART = re.compile(r"[0-9A-Za-z._+-]{1,255}", re.ASCII)
# The limit of S3, prefix of the store included.
_MAX_BYTES = 1024


def check_key(key: str) -> str:
    """Return `key` if it names an object inside the store and nothing else.

    Raises:
        UsageError: It is empty, absolute or too long, or has an empty part, `.`, `..` or a
            character other than letters, digits and `._+-`.
    """
    parts = key.split("/")
    if len(key) > _MAX_BYTES or not all(_good(part) for part in parts):
        raise UsageError(
            f"not a key: {key!r}",
            hint="A key has parts of A-Za-z0-9._+- divided by '/', and none is '.' or '..'.",
        )
    return key


def check_prefix(prefix: str) -> str:
    """Return `prefix` if it is the beginning of a key, or empty.

    Raises:
        UsageError: No key can begin so.
    """
    if prefix:
        check_key(prefix.removesuffix("/"))
    return prefix


def _good(part: str) -> bool:
    return _PART.fullmatch(part) is not None and part not in (".", "..")
