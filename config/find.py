"""Where the castoff.toml is that a command means."""

from __future__ import annotations

from pathlib import Path

from castoff.config.errors import ConfigError

FILE_NAME = "castoff.toml"


def find(start: Path) -> Path:
    """Return the castoff.toml of `start` or of the nearest folder above it.

    The search ends at the root of the repository (the folder with `.git`), or of the file
    system where there is none.

    Raises:
        ConfigError: There is none.
    """
    if (start / FILE_NAME).is_file():
        return start / FILE_NAME
    folder = start.resolve()
    for candidate in (folder, *folder.parents):
        if (candidate / FILE_NAME).is_file():
            return candidate / FILE_NAME
        if (candidate / ".git").exists():
            break
    raise ConfigError(
        f"there is no {FILE_NAME} in {folder}, nor above it in the repository",
        hint="'castoff init' writes one that fits the project.",
    )
