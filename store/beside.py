"""Write what lies beside an artifact in `artifacts/`."""

from __future__ import annotations

from pathlib import Path

from castoff.store.durable import new_file
from castoff.store.errors import StoreError


def write_beside(path: Path, data: bytes) -> None:
    """Write one of an artifact's files, whole or not at all.

    Raises:
        StoreError: It cannot be written.
    """
    try:
        with new_file(path) as file:
            file.write(data)
            file.replace()
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
