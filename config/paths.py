"""Paths of castoff.toml that name files of this machine."""

from __future__ import annotations

import os
from pathlib import Path

from castoff.config.errors import ConfigError


def local_path(text: str, base: Path) -> Path:
    """Return a path on this machine as an absolute one without `.` and `..`.

    Args:
        text: As it stands in the file; `~` and `~user` are home folders.
        base: Folder of castoff.toml, from which relative paths start.

    Raises:
        ConfigError: It starts with the home folder of a user who does not exist.
    """
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise ConfigError(
            f"{text}: no home folder is known for it", hint="Write the path in full."
        ) from error
    return Path(os.path.normpath(base / path))
