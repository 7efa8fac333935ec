"""Files in messages by the paths that a person opens, in place of the names that assets have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.settings import Root

# At the start of a line: `css/app.scss:3:14: …`.
_PLACE = re.compile(r"^(?P<name>[^:\n]+?)(?=:\d|: )", re.MULTILINE)


def with_paths(error: AssetError, roots: Sequence[Root], app: Path) -> AssetError:
    """Return an error that names files as `shown` does."""
    told = AssetError(shown(error.message, roots, app), hint=error.hint)
    told.file, told.line, told.column = error.file, error.line, error.column
    return told


def shown(text: str, roots: Sequence[Root], app: Path) -> str:
    """Return a message with the paths of files in it, relative to the app's folder.

    Args:
        text: Lines that begin with logical names.
        roots: Where files of such names are; the first that has one counts, as for assets.
        app: The app's folder; what lies elsewhere keeps its logical name.
    """

    def path(match: re.Match[str]) -> str:
        name = match["name"]
        for root in roots:
            file = root.folder / name.removeprefix(f"{root.prefix}/" if root.prefix else "")
            if file.is_file() and file.is_relative_to(app):
                return file.relative_to(app).as_posix()
        return match[0]

    return _PLACE.sub(path, text)
