"""Which installed package each file of a release belongs to, and how much each takes.

The rule. Below `lib/` and `project/` a file belongs to the distribution whose RECORD lists it
(PyPA's *Recording installed projects*), byte code to that of its source. Where the archive is not
at hand there is no RECORD to read, and names must do: a `.dist-info` folder belongs to its
distribution, and anything else to the distribution that is called like the first part of its path.
What no rule gives away stands under that first part. Elsewhere the first part is the group: `app/`,
`bin/`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from castoff.store.errors import CorruptArtifact, StoreError
from castoff.store.filetable import File, FileTable
from castoff.store.manifest import Manifest
from castoff.store.places import INSTALLED
from castoff.store.unpack import ArchiveReader, Damaged

_DIST_INFO = re.compile(r"(?P<name>[^/]+?)-[^/-]+\.dist-info")
_SEPARATORS = re.compile(r"[-_.]+")
_BYTE_CODE = re.compile(r"(?P<stem>.+?)\.[^.]+(?:\.opt-[12])?\.pyc")


@dataclass(frozen=True, slots=True)
class Group:
    """Files that belong together.

    Attributes:
        name: A distribution's name, or the first part of the paths with a slash.
        version: The distribution's; empty where the group is none.
        size: Bytes of content.
    """

    name: str
    version: str
    files: int
    size: int


def normalised(name: str) -> str:
    """Return a distribution's name as the manifest spells it (PEP 503)."""
    return _SEPARATORS.sub("-", name).lower()


def read_owners(archive: Path, table: FileTable) -> dict[str, str]:
    """Return the distribution of each file that some RECORD in the archive lists, by path.

    Raises:
        CorruptArtifact: The archive is damaged where a RECORD lies.
        StoreError: It cannot be read.
    """
    owners: dict[str, str] = {}
    try:
        with archive.open("rb") as file:
            reader = ArchiveReader(file, table)
            for record, name in _records(table):
                text = b"".join(reader.content(record)).decode("utf-8", "replace")
                for row in csv.reader(text.splitlines()):
                    if row:
                        owners[_from_top(row[0], record.path.partition("/")[0])] = name
    except Damaged as damage:
        raise CorruptArtifact(
            f"{archive}: {damage}", hint="See all that is wrong with it: castoff verify."
        ) from damage
    except OSError as error:
        raise StoreError(f"{archive}: {error.strerror}") from error
    return owners


def by_package(
    manifest: Manifest, table: FileTable, owners: Mapping[str, str]
) -> tuple[Group, ...]:
    """Return all groups, the largest first.

    Args:
        manifest: Names the distributions.
        table: The files.
        owners: What `read_owners` found; empty where the archive is not at hand.
    """
    versions = {dependency.name: dependency.version for dependency in manifest.dependencies}
    totals: dict[str, list[int]] = {}
    for file in table.files:
        total = totals.setdefault(_group(file, owners, versions), [0, 0])
        total[0] += 1
        total[1] += file.size
    groups = [
        Group(name, versions.get(name, ""), count, size) for name, (count, size) in totals.items()
    ]
    return tuple(sorted(groups, key=lambda group: (-group.size, group.name)))


def _group(file: File, owners: Mapping[str, str], versions: Mapping[str, str]) -> str:
    parts = file.path.split("/")
    if parts[0] not in INSTALLED or len(parts) == 1:
        owner = owners.get(file.path)
        return owner or (f"{parts[0]}/" if len(parts) > 1 else parts[0])
    owner = owners.get(file.path) or owners.get(_source(file.path))
    if owner:
        return owner
    top = parts[1]
    if match := _DIST_INFO.fullmatch(top):
        return normalised(match["name"])
    called = normalised(top.partition(".")[0])
    if called in versions:
        return called
    return f"{parts[0]}/{top}/" if len(parts) > 2 else f"{parts[0]}/{top}"  # noqa: PLR2004


def _source(path: str) -> str:
    """Return where the source of a byte code file would lie (PEP 3147)."""
    pure = PurePosixPath(path)
    match = _BYTE_CODE.fullmatch(pure.name)
    if match is None or pure.parent.name != "__pycache__":
        return path
    return str(pure.parent.parent / f"{match['stem']}.py")


def _records(table: FileTable) -> Iterator[tuple[File, str]]:
    for file in table.files:
        place, _, inside = file.path.partition("/")
        folder, _, name = inside.partition("/")
        match = _DIST_INFO.fullmatch(folder)
        if place in INSTALLED and name == "RECORD" and match is not None:
            yield file, normalised(match["name"])


def _from_top(path: str, place: str) -> str:
    """Return a path of a RECORD, which starts where it is installed, from the top of the tree."""
    parts: list[str] = [place]
    for part in PurePosixPath(path).parts:
        if part == "..":
            del parts[-1:]
        else:
            parts.append(part)
    return "/".join(parts)
