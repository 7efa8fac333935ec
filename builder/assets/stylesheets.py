"""A digest of everything that a compiler of stylesheets may read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from castoff.builder.assets.tools.load_paths import LoadPaths
from castoff.store import canonical
from castoff.store.digest import sha256, sha256_file

# Less can embed pictures too (`data-uri`), so for it every file counts.
_STYLES = (".css", ".less", ".sass", ".scss")


def digest(load_paths: LoadPaths, *, all_files: bool) -> str:
    """Return the digest of the stylesheets of the project and below the load paths.

    Coarser than following imports, and never wrong: a new file that takes another's place counts
    as well as a changed one, and so does what a `../` beyond the load paths leads to, in
    `node_modules` or anywhere else in the project.
    """
    project = load_paths.project
    places = [_place(folder, project) for folder in load_paths.folders]
    outside = [folder for folder in load_paths.folders if _place(folder, project) is None]
    listing = [
        [number, relative, content]
        for number, folder in enumerate(outside if project is None else [project, *outside])
        for relative, content in _contents(folder, all_files=all_files)
    ]
    return sha256(canonical.dumps({"places": places, "files": listing}))


def _place(folder: Path, project: Path | None) -> str | None:
    if project is None or not folder.is_relative_to(project):
        return None
    return folder.relative_to(project).as_posix()


def _contents(folder: Path, *, all_files: bool) -> Iterator[tuple[str, str]]:
    """Yield each file's path and digest, and each linked folder's path and target, in order."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in [*folders, *sorted(files)]:
            path = Path(place) / name
            relative = _text(path.relative_to(folder))
            if path.is_dir():
                if path.is_symlink():
                    yield relative, f"-> {_text(path.readlink())}"
            # A link to nowhere is no file that a compiler could read.
            elif (all_files or path.suffix in _STYLES) and path.is_file():
                yield relative, sha256_file(path)


def _text(path: Path) -> str:
    return os.fsencode(path).decode(errors="backslashreplace")
