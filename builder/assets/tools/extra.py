"""Packages of the `assets` extra, imported only where they are used."""

from __future__ import annotations

import importlib
import importlib.metadata
from types import ModuleType

from castoff.builder.assets.errors import AssetError

_HINT = "Run: pip install 'castoff[assets]'"


def load(module: str, distribution: str) -> ModuleType:
    """Import a module of an optional package.

    Raises:
        AssetError: The package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise AssetError(f"The package {distribution} is not installed", hint=_HINT) from error


def version(distribution: str) -> str:
    """Return the installed version of an optional package.

    Raises:
        AssetError: The package is not installed.
    """
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError as error:
        raise AssetError(f"The package {distribution} is not installed", hint=_HINT) from error
