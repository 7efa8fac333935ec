"""Versions of what is installed beside Castoff; each is looked for once."""

from __future__ import annotations

import importlib.metadata
from functools import cache


@cache
def version(distribution: str) -> str:
    """Return the version of a distribution.

    Raises:
        PackageNotFoundError: It is not installed.
    """
    return importlib.metadata.version(distribution)
