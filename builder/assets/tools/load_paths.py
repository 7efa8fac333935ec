"""Where compilers look for imports, and how such files are named in messages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True)
class LoadPaths:
    """The folders of the roots, then the configured ones.

    Attributes:
        folders: Absolute paths, in the order in which they are searched.
        project: Folder of all that imports may reach, inside the load paths or not; None if they
            keep to these.
    """

    folders: tuple[Path, ...]
    project: Path | None = None

    def shown(self, place: str) -> str:
        """Return a file's path or `file:` URL, relative to the first folder that holds it."""
        parts = urlsplit(place)
        path = Path(unquote(parts.path) if parts.scheme == "file" else place)
        for folder in (*self.folders, *([] if self.project is None else [self.project])):
            if path.is_relative_to(folder):
                return path.relative_to(folder).as_posix()
        return str(path)
