"""Which version of a site a folder serves: the link `current`, changed by one rename."""

from __future__ import annotations

import secrets
from pathlib import Path

from castoff.store.durable import MARK, sync_directory
from castoff.store.errors import StoreError

LINK = "current"


def point_to(root: Path, prefix: str) -> None:
    """Make the link lead to a folder below the root, atomically for whoever reads through it.

    Raises:
        StoreError: It cannot be written, or something else stands in its place.
    """
    link = root / LINK
    passing = root / f".{MARK}{secrets.token_hex(8)}"
    if link.exists() and not link.is_symlink():
        raise StoreError(f"{link} is not a link", hint="Move it away: Castoff puts a link there.")
    try:
        passing.symlink_to(prefix)
        try:
            passing.rename(link)
        except OSError:
            passing.unlink(missing_ok=True)
            raise
        sync_directory(root)
    except OSError as error:
        raise StoreError(f"{link}: {error.strerror}") from error
