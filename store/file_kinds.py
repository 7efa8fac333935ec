"""Which files are assets and which are migrations, told by their paths alone.

Assets lie below `static/`, most with 16 digits of their digest in their names (see
docs/reference/assets.md), so that a changed one is a file that went and another that came. Here
they are one change, by the name that the project knows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file or link that differs.

    Attributes:
        old_size: Bytes in the old version; None where it is not there. A link's are its target's.
        new_size: Bytes in the new version, likewise.
        what: `added`, `removed`, `content`, `mode` or `kind` (a file that became a link).
    """

    path: str
    old_size: int | None
    new_size: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset of one version.

    Attributes:
        name: The path that the project knows it by, from the top of the tree.
        path: Where it lies; its name may hold its digest.
        size: Bytes.
        copies: Bytes of its compressed copies, by suffix: `br`, `gz`, `zst`.
    """

    name: str
    path: str
    size: int
    copies: Mapping[str, int]


_STATIC = "static/"
# What lists the assets is none itself.
_LISTS = ("static/assets.json", "static/staticfiles.json")
_HASHED = re.compile(r"(.+)\.[0-9a-f]{16}(\.[^./]+)?")
_COMPRESSED = re.compile(r"(.+)\.(br|gz|zst)")
# Of Django, of Alembic, of Flask-Migrate, and of tools with folders of SQL.
_MIGRATION = re.compile(
    r"(?:.+/)?(?:migrations|migrations/versions|alembic/versions)/(?!__init__\.py$)[^/]+\.(?:py|sql)"
)


def is_asset(path: str) -> bool:
    """Say whether a file is an asset, a compressed copy of one, or a list of them."""
    return path.startswith(_STATIC)


def list_assets(sizes: Mapping[str, int]) -> tuple[Asset, ...]:
    """Return the assets among a version's files, in the order of their names.

    Args:
        sizes: Bytes of all its files, by path.
    """
    copies: dict[str, dict[str, int]] = {}
    for path, size in sizes.items():
        copy = _COMPRESSED.fullmatch(path)
        if copy and copy[1] in sizes:
            copies.setdefault(copy[1], {})[copy[2]] = size
    compressed = {f"{path}.{suffix}" for path, there in copies.items() for suffix in there}
    found = (
        Asset(_logical(path), path, size, copies.get(path, {}))
        for path, size in sizes.items()
        if is_asset(path) and path not in _LISTS and path not in compressed
    )
    return tuple(sorted(found, key=lambda asset: (asset.name.encode(), asset.path)))


def assets(files: Iterable[FileChange], paths: Collection[str]) -> tuple[FileChange, ...]:
    """Return the changes of assets by their logical names, in order, without compressed copies.

    Args:
        files: All changes.
        paths: Of all files in either version.
    """
    found: dict[str, FileChange] = {}
    for file in files:
        copy = _COMPRESSED.fullmatch(file.path)
        if not is_asset(file.path) or file.path in _LISTS or (copy and copy[1] in paths):
            continue
        name = _logical(file.path)
        found[name] = _joined(name, found.get(name), file)
    return tuple(found[name] for name in sorted(found, key=str.encode))


def migrations(files: Iterable[FileChange]) -> tuple[FileChange, ...]:
    """Return the changes of migrations."""
    return tuple(file for file in files if _MIGRATION.fullmatch(file.path))


def _logical(path: str) -> str:
    hashed = _HASHED.fullmatch(path)
    return path if hashed is None else hashed[1] + (hashed[2] or "")


def _joined(name: str, one: FileChange | None, other: FileChange) -> FileChange:
    if one is None:
        return FileChange(name, other.old_size, other.new_size, other.what)
    old = one.old_size if other.old_size is None else other.old_size
    new = one.new_size if other.new_size is None else other.new_size
    return FileChange(name, old, new, "content")
