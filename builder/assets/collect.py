"""Which files are assets, and what they are called."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.settings import Root

_COMPILED = {".scss": ".css", ".sass": ".css", ".less": ".css"}
_LEFT_OUT = (".*", "*~", "CVS", "node_modules")


@dataclass(frozen=True)
class Source:
    """One file to build.

    Attributes:
        name: Logical name of what it becomes: `css/app.css` for `css/app.scss`.
        origin: Logical name of the file itself, for messages.
        path: Where it lies.
        root: The root that it came from.
    """

    name: str
    origin: str
    path: Path
    root: Root


def collect(roots: Sequence[Root], exclude: Sequence[str]) -> list[Source]:
    """Return the sources, sorted by name.

    Left out are hidden files, `*~`, `CVS`, `node_modules`, what `exclude` names, and stylesheets
    to compile whose names start with `_`. Where two roots have a file of one name, the first
    root's counts, so that a project can replace a file of its vendors.

    Raises:
        AssetError: A root is not a folder, or two files of one root become one.
    """
    found: dict[str, Source] = {}
    for root in roots:
        if not root.folder.is_dir():
            raise AssetError(f"{root.folder}: there is no such folder of assets")
        own: dict[str, Source] = {}
        for source in _of_root(root, exclude):
            twin = own.setdefault(source.name, source)
            if twin != source:
                raise AssetError(
                    f"{twin.origin} and {source.origin} both become {source.name}",
                    file=source.origin,
                    hint="Rename one, or exclude it.",
                )
        found = {**own, **found}
    return [found[name] for name in sorted(found)]


def matches(name: str, globs: Sequence[str]) -> bool:
    """Say whether a name fits a glob; one without a slash is matched with the last part."""
    last = PurePosixPath(name).name
    return any(fnmatch.fnmatchcase(name if "/" in glob else last, glob) for glob in globs)


def files_below(folder: Path) -> Iterator[str]:
    """Yield the relative paths, with slashes, of the files that may count, in sorted order."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not matches(name, _LEFT_OUT))
        for name in sorted(files):
            if not matches(name, _LEFT_OUT):
                yield (Path(place) / name).relative_to(folder).as_posix()


def _of_root(root: Root, exclude: Sequence[str]) -> Iterator[Source]:
    for relative in files_below(root.folder):
        if matches(relative, exclude):
            continue
        path = PurePosixPath(relative)
        compiled = _COMPILED.get(path.suffix)
        if compiled and path.name.startswith("_"):
            continue
        prefix = PurePosixPath(root.prefix)
        name = str(prefix / (path.with_suffix(compiled) if compiled else path))
        yield Source(name, str(prefix / path), root.folder / relative, root)
