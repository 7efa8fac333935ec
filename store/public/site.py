"""A site: the files that keep their names, so that each release replaces those of the one before.

Two ways to switch. *Copy*: every file is replaced at its own name, in an order that never lets a
page name what is not there: first what pages load, then the pages, the innermost first, then
service workers, which fetch pages; what the new release lacks goes last. Each file changes
atomically, the site as a whole within the time of a few requests. *Prefix*: the whole release lies
below `releases/<version>/`, and one pointer names that: a symbolic link `current` in a folder, or
the origin path of a CloudFront distribution. Then the site as a whole changes atomically.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from castoff.store.asset_list import AssetList, PublicFile
from castoff.store.backend import MOST_REQUESTS
from castoff.store.digest import sha256
from castoff.store.errors import ObjectMissing
from castoff.store.filetable import FileTable
from castoff.store.public.place import FOR_EVER, Headers, Place, Placed
from castoff.store.public.send import Progress, missing_at, send

RELEASES = "releases/"
_PAGES = frozenset({".html", ".htm"})
_WORKERS = ("sw.js", "service-worker.js", "serviceworker.js")


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a site.

    Attributes:
        files: What browsers load of it.
        archive: Its archive, on this machine.
        table: The archive's file table.
    """

    name: str
    files: AssetList
    archive: Path
    table: FileTable


def send_immutable(place: Place, version: Version, progress: Progress | None = None) -> int:
    """Send what has a digest in its name and is not there yet; return how many files.

    Raises:
        CorruptArtifact: The archive does not hold what its table says.
        StoreError: The place cannot be read or written.
    """
    missing = missing_at(place, version.files.immutable)
    send(place, missing, version.archive, version.table, progress=progress)
    return len(missing)


def replace_files(
    place: Place, version: Version, old: AssetList | None, *, cache_control: str
) -> tuple[str, ...]:
    """Bring the files that keep their names to a version, in order; return those that changed.

    Doing it again after an interruption, or with another version, ends in that version's files.

    Args:
        place: The site's place.
        version: What to bring there.
        old: What may lie there of another version; what only that has is removed.
        cache_control: How long caches may keep these files.

    Raises:
        CorruptArtifact: The archive does not hold what its table says.
        StoreError: The place cannot be read or written; some files may be of either version.
    """
    changed = _changed(place, version.files.mutable)
    for group in in_order(changed):
        send(place, group, version.archive, version.table, cache_control=cache_control)
    wanted = {file.path for file in version.files.files}
    gone = [file.path for file in (old.mutable if old else ()) if file.path not in wanted]
    place.delete(gone)
    return tuple(sorted({*(file.path for file in changed), *gone}))


def in_order(files: Iterable[PublicFile]) -> list[list[PublicFile]]:
    """Return the files in groups, each of which may be there only once those before it are."""
    groups: dict[tuple[int, int], list[PublicFile]] = {}
    for file in files:
        # A compressed copy goes with its original.
        name = file.path if file.encoding is None else file.path.rpartition(".")[0]
        path = PurePosixPath(name)
        if path.name in _WORKERS:
            rank = (2, 0)
        elif path.suffix in _PAGES:
            rank = (1, -len(path.parts))
        else:
            rank = (0, 0)
        groups.setdefault(rank, []).append(file)
    return [groups[rank] for rank in sorted(groups)]


def send_whole(place: Place, version: Version, *, cache_control: str) -> str:
    """Send a whole version below its own prefix; return the prefix, without a slash at its end.

    Raises:
        CorruptArtifact: The archive does not hold what its table says.
        StoreError: The place cannot be read or written.
    """
    prefix = f"{RELEASES}{version.name}"
    below = Below(place, f"{prefix}/")
    for missing, control in (
        (missing_at(below, version.files.immutable), FOR_EVER),
        (_changed(below, version.files.mutable), cache_control),
    ):
        send(below, missing, version.archive, version.table, cache_control=control)
    return prefix


def forget(place: Place, keep: Collection[str]) -> tuple[str, ...]:
    """Remove the versions below `releases/` that are not to be kept; return which.

    Raises:
        StoreError: The place cannot be read or written.
    """
    by_version: dict[str, list[str]] = {}
    for key in place.listing(RELEASES):
        by_version.setdefault(key.removeprefix(RELEASES).partition("/")[0], []).append(key)
    gone = sorted(set(by_version) - set(keep))
    place.delete([key for version in gone for key in by_version[version]])
    return tuple(gone)


@dataclass(frozen=True, slots=True)
class Below:
    """A place below a prefix of another one."""

    place: Place
    prefix: str

    @property
    def url(self) -> str:
        """The URL of the place around it."""
        return self.place.url

    def listing(self, prefix: str = "") -> dict[str, Placed]:
        """Return the files below the prefix, by key without it."""
        length = len(self.prefix)
        found = self.place.listing(self.prefix + prefix)
        return {key[length:]: one for key, one in found.items()}

    def put(self, key: str, data: bytes, headers: Headers) -> None:
        """Write a file below the prefix."""
        self.place.put(self.prefix + key, data, headers)

    def read(self, key: str) -> bytes:
        """Return a file's bytes. Raises ObjectMissing."""
        return self.place.read(self.prefix + key)

    def delete(self, keys: Sequence[str]) -> None:
        """Remove files below the prefix."""
        self.place.delete([self.prefix + key for key in keys])

    def allow_origins(self, origins: Sequence[str]) -> bool:
        """See to the rules of the place around it."""
        return self.place.allow_origins(origins)


def _changed(place: Place, files: Sequence[PublicFile]) -> list[PublicFile]:
    """Return those files that are not at a place with just these bytes."""
    there = place.listing()

    def differs(file: PublicFile) -> bool:
        found = there.get(file.path)
        if found is None or found.size != file.size:
            return True
        try:
            return sha256(place.read(file.path)) != file.sha256
        except ObjectMissing:
            return True

    with ThreadPoolExecutor(MOST_REQUESTS, thread_name_prefix="castoff-site") as pool:
        return [file for file, other in zip(files, pool.map(differs, files), strict=True) if other]
