"""What changes from one version to another, and what a host that has the one must still fetch.

Everything here comes from manifests and file tables; no archive is opened.
"""

from __future__ import annotations

from dataclasses import dataclass

from castoff.store import file_kinds, migrations
from castoff.store.file_kinds import FileChange
from castoff.store.filetable import File, FileTable
from castoff.store.manifest import Manifest, Target

# Two ranges of the archive are asked for as one if no more than this lies between them: over most
# networks a request costs more than these bytes.
GAP = 64 * 1024


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was one thing and is another; None where it is not there at all."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Fetch:
    """What a host that has the old version's files must fetch of the new archive.

    Attributes:
        size: Bytes, the gaps between merged ranges counted in.
        ranges: How many requests that is.
        archive_size: Bytes of the whole archive.
    """

    size: int
    ranges: int
    archive_size: int


@dataclass(frozen=True, slots=True)
class Difference:
    """From one version to another; all lists are in order of name or path.

    Attributes:
        files: All that differ; `assets` and `migrations` tell of some of them once more.
        to_migrate: Migrations that the new version has to run where the old one is live, by name.
        no_way_back: Those that the old version may not live with, each with why.
        assets: By their logical names, without compressed copies.
    """

    old: str
    new: str
    same_tree: bool
    files: tuple[FileChange, ...]
    assets: tuple[FileChange, ...]
    migrations: tuple[FileChange, ...]
    dependencies: tuple[Change, ...]
    target: tuple[Change, ...]
    entry_points: tuple[Change, ...]
    format: Change | None
    tree_growth: int
    fetch: Fetch
    to_migrate: tuple[str, ...] = ()
    no_way_back: tuple[tuple[str, str], ...] = ()


def difference(
    old: Manifest, old_table: FileTable, new: Manifest, new_table: FileTable
) -> Difference:
    """Compare two versions of an app, or of two."""
    files = _files(old_table, new_table)
    code = migrations.known(old.migrations)
    new_to_old = migrations.incompatible(migrations.unknown_to(new.migrations, code), code)
    paths = {file.path for table in (old_table, new_table) for file in table.files}
    return Difference(
        old=old.version,
        new=new.version,
        same_tree=old.tree_sha256 == new.tree_sha256,
        files=files,
        assets=file_kinds.assets(files, paths),
        migrations=file_kinds.migrations(files),
        dependencies=_changes(
            {dependency.name: dependency.version for dependency in old.dependencies},
            {dependency.name: dependency.version for dependency in new.dependencies},
        ),
        target=_changes(_target(old.target), _target(new.target)),
        entry_points=_changes(
            dict.fromkeys(old.entry_points, ""), dict.fromkeys(new.entry_points, "")
        ),
        format=None if old.format == new.format else Change("format", old.format, new.format),
        tree_growth=new.tree_size - old.tree_size,
        fetch=to_fetch(old_table, new, new_table),
        to_migrate=tuple(one.text for one in migrations.to_run(new.migrations, code)),
        no_way_back=migrations.reasons(new_to_old, code),
    )


def to_fetch(have: FileTable, new: Manifest, table: FileTable) -> Fetch:
    """Return what a host must fetch that has the files of `have`, by ranges of the archive.

    A member is needed if it holds any of a file whose content, by digest, the host does not have.
    """
    known = {file.sha256 for file in have.files}
    needed: set[int] = set()
    ends = _ends(table)
    for file in table.files:
        if file.size and file.sha256 not in known:
            needed.update(_members(file, ends))
    ranges = 0
    size = 0
    end: int | None = None
    for index in sorted(needed):
        member = table.members[index]
        if end is not None and member.offset - end <= GAP:
            size += member.offset - end
        else:
            ranges += 1
        size += member.length
        end = member.offset + member.length
    return Fetch(size=size, ranges=ranges, archive_size=new.archive.size)


def _ends(table: FileTable) -> list[int]:
    """Return where each member's raw bytes end in the row of all."""
    ends = []
    end = 0
    for member in table.members:
        end += member.raw_length
        ends.append(end)
    return ends


def _members(file: File, ends: list[int]) -> range:
    """Return the indexes of the members that hold a file's bytes."""
    first = file.member
    position = (ends[first - 1] if first else 0) + file.start
    last = first
    while last < len(ends) - 1 and ends[last] < position + file.size:
        last += 1
    return range(first, last + 1)


def _files(old: FileTable, new: FileTable) -> tuple[FileChange, ...]:
    before, after = _entries(old), _entries(new)
    found = []
    for path in sorted(before.keys() | after.keys(), key=str.encode):
        was, now = before.get(path), after.get(path)
        if was != now:
            found.append(
                FileChange(
                    path,
                    None if was is None else was.size,
                    None if now is None else now.size,
                    _what(was, now),
                )
            )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: str
    size: int
    content: str
    executable: bool


def _entries(table: FileTable) -> dict[str, _Entry]:
    entries = {f.path: _Entry("file", f.size, f.sha256, f.executable) for f in table.files}
    for link in table.links:
        target = link.target
        entries[link.path] = _Entry("link", len(target.encode()), target, executable=False)
    return entries


def _what(was: _Entry | None, now: _Entry | None) -> str:
    if was is None:
        return "added"
    if now is None:
        return "removed"
    if was.kind != now.kind:
        return "kind"
    return "mode" if was.content == now.content else "content"


def _target(target: Target) -> dict[str, str]:
    return {name: str(value) for name, value in target.model_dump().items()}


def _changes(old: dict[str, str], new: dict[str, str]) -> tuple[Change, ...]:
    return tuple(
        Change(name, old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )
