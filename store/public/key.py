"""Names of public files: any that a URL can carry, and none that leads elsewhere."""

from __future__ import annotations

from urllib.parse import quote

from castoff.store.errors import UsageError

# The limit of S3, the place's prefix included.
_MAX_BYTES = 900


def check_public_key(key: str) -> str:
    """Return `key` if it names a file below its place.

    Raises:
        UsageError: It is empty, absolute or too long, has a part that is empty, `.` or `..`, or
            holds a backslash or a control character.
    """
    parts = key.split("/")
    if (
        len(key.encode("utf-8", "replace")) > _MAX_BYTES
        or any(part in ("", ".", "..") for part in parts)
        or "\\" in key
        or not key.isprintable()
    ):
        raise UsageError(f"not the name of a public file: {key!r}", hint="Rename it.")
    return key


def url_of(base: str, key: str) -> str:
    """Return a file's URL below a base URL that ends in a slash (RFC 3986, section 2.1)."""
    return base + quote(key, safe="/~!$&'()*+,;=:@")
