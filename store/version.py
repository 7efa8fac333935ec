"""Names that reach file systems, URLs and command lines, and what they may be made of."""

from __future__ import annotations

import re

from castoff.store.errors import UsageError

VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,63}", re.ASCII)
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)


def check_version(text: str) -> str:
    """Return `text` if it is a version that may name a directory and an object key.

    Raises:
        UsageError: It is empty, too long, or holds anything but letters, digits and `._+-`
            (which also keeps out `../x`, `;id` and `-oProxyCommand=…`).
    """
    if not VERSION.fullmatch(text):
        raise UsageError(
            f"not a version: {text!r}",
            hint="A version starts with a letter or digit and has at most 64 of A-Za-z0-9._+-",
        )
    return text
