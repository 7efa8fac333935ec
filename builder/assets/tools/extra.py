"""Packages of the `assets` extra, imported only where they are used."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from types import ModuleType

from castoff.builder.assets.errors import AssetError

# That of Castoff's own environment, where it is there already and only the rest is installed.
_HINT = f"Run: {sys.executable} -m pip install 'castoff[assets]'"


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
