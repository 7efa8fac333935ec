"""Where the castoff.toml is that a command means."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from castoff.config.errors import ConfigError

FILE_NAME = "castoff.toml"
_MOST = 5


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
    below = sorted(str(path.relative_to(folder)) for path in _below(folder))
    raise ConfigError(
        f"there is no {FILE_NAME} in {folder}, nor above it in the repository",
        hint=f"Below it there is {', '.join(below[:_MOST])}: go there, or name it with --config."
        if below
        else "'castoff init' writes one that fits the project.",
    )


def _below(folder: Path) -> Iterator[Path]:
    """Yield those in folders of a repository: two deep, since looking further takes time."""
    if (folder / ".git").exists():
        for pattern in ("*", "*/*"):
            yield from folder.glob(f"{pattern}/{FILE_NAME}")
