"""From an archive to where browsers will look: the files that are not there yet, many at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from castoff.store.asset_list import FOLDER, PublicFile
from castoff.store.backend import MOST_REQUESTS
from castoff.store.digest import sha256
from castoff.store.errors import CorruptArtifact, StoreError
from castoff.store.filetable import FileTable
from castoff.store.public.place import FOR_EVER, Headers, Place
from castoff.store.unpack import ArchiveReader, Damaged

# Files in memory at once, those that are being sent among them.
_IN_FLIGHT = 2 * MOST_REQUESTS

Progress = Callable[[int], None]


def missing_at(place: Place, files: Sequence[PublicFile]) -> tuple[PublicFile, ...]:
    """Return those immutable files that are not at a place yet.

    One is there if its name is, in its size: the name holds the digest of its content.

    Raises:
        StoreError: The place cannot be read.
    """
    there = place.listing()
    return tuple(
        file for file in files if (found := there.get(file.path)) is None or found.size != file.size
    )


def send(
    place: Place,
    files: Collection[PublicFile],
    archive: Path,
    table: FileTable,
    *,
    cache_control: str = FOR_EVER,
    progress: Progress | None = None,
) -> None:
    """Send files, many at once, read from the archive that holds them.

    Args:
        place: Where to.
        files: What to send.
        archive: The release's archive.
        table: Its file table.
        cache_control: How long caches may keep them.
        progress: Called with the number of bytes just sent.

    Raises:
        CorruptArtifact: The archive does not hold what its table says.
        StoreError: The place cannot be written, or the archive not read; what was sent stays, and
            need not be sent again.
    """

    def put(file: PublicFile, data: bytes) -> int:
        place.put(file.path, data, Headers(file.content_type, file.encoding, cache_control))
        return len(data)

    under_way: deque[Future[int]] = deque()
    with ThreadPoolExecutor(MOST_REQUESTS, thread_name_prefix="castoff-send") as pool:
        try:
            for file, data in _contents(files, archive, table):
                if len(under_way) >= _IN_FLIGHT:
                    _done(under_way.popleft(), progress)
                under_way.append(pool.submit(put, file, data))
            while under_way:
                _done(under_way.popleft(), progress)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _done(future: Future[int], progress: Progress | None) -> None:
    size = future.result()
    if progress is not None:
        progress(size)


def _contents(
    files: Collection[PublicFile], archive: Path, table: FileTable
) -> Iterator[tuple[PublicFile, bytes]]:
    """Yield the files with their bytes, in the order in which they lie in the archive."""
    wanted = {FOLDER + file.path: file for file in files}
    entries = [file for file in table.files if file.path in wanted]
    with archive.open("rb") as stream:
        reader = ArchiveReader(stream, table)
        for entry in sorted(entries, key=lambda entry: (entry.member, entry.start)):
            try:
                data = b"".join(reader.content(entry))
            except Damaged as damage:
                raise CorruptArtifact(f"{archive}: {entry.path}: {damage}") from damage
            except OSError as error:
                raise StoreError(f"{archive}: {error.strerror}") from error
            if sha256(data) != entry.sha256:
                raise CorruptArtifact(f"{archive}: {entry.path} does not match its digest")
            yield wanted[entry.path], data
