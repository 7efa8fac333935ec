"""castoff.toml, found and read strictly: all that is wrong with it is told at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from castoff.config.errors import broken_file
from castoff.config.explain import explain, explain_misfits
from castoff.config.freeze import frozen
from castoff.config.inherit import merge
from castoff.config.lines import locate
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
    text, document = read_toml(path)
    merged = merge(document)
    try:
        config = Config.model_validate(frozen(merged.document))
    except ValidationError as error:
        lines = locate(text)
        problems = (*explain(error, lines, merged), *explain_misfits(merged.misfits, lines))
        raise broken_file(path, problems) from error
    if merged.misfits:
        raise broken_file(path, explain_misfits(merged.misfits, locate(text)))
    return Loaded(config=config, path=path, base=path.parent.resolve())
