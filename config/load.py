"""castoff.toml, found and read strictly: all that is wrong with it is told at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from castoff.config.errors import ConfigError, broken_file
from castoff.config.freeze import frozen
from castoff.config.inherit import Merged, merge
from castoff.config.model import Config
from castoff.config.toml import read_toml


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration and where it came from.

    Attributes:
        config: What the file says.
        path: The file, as it was named.
        base: The folder that it lies in, absolute, from which its relative paths start.
    """

    config: Config
    path: Path
    base: Path


def load(path: Path) -> Loaded:
    """Read a configuration.

    Raises:
        ConfigError: It cannot be read, or is not what the models allow; `problems` has all.
    """
    return check(path, *read_toml(path))


def check(path: Path, text: str, document: dict[str, Any]) -> Loaded:
    """Return the configuration that a file's text holds; raises as `load`.

    Args:
        path: The file.
        text: What it holds.
        document: The same, read as TOML.
    """
    merged = merge(document)
    try:
        config = Config.model_validate(frozen(merged.document))
    except ValidationError as error:
        raise _faults(path, text, merged, error) from error
    if merged.misfits:
        raise _faults(path, text, merged, None)
    return Loaded(config=config, path=path, base=path.parent.resolve())


def _faults(path: Path, text: str, merged: Merged, error: ValidationError | None) -> ConfigError:
    # Most files have none, and to tell of them takes modules of its own.
    from castoff.config.explain import explain, explain_misfits
    from castoff.config.lines import locate

    lines = locate(text)
    told = () if error is None else explain(error, lines, merged)
    return broken_file(path, (*told, *explain_misfits(merged.misfits, lines)))
