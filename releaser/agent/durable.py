"""Writes that are there, whole, after a power cut: temporary name, fsync, rename, fsync."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def unique(folder: str, name: str) -> str:
    """Return a path in `folder` that nothing had before and nothing will have again."""
    return os.path.join(folder, f"{name}.{os.urandom(8).hex()}")


def write_file(path: str, data: bytes, scratch: str) -> None:
    """Replace a file's content at one stroke; see `write_blocks`."""
    write_blocks(path, (data,), scratch)


def write_blocks(path: str, blocks: Iterable[bytes], scratch: str) -> None:
    """Replace a file's content at one stroke.

    Args:
        path: The file; its folder must exist.
        blocks: The new content.
        scratch: Folder on the same file system for the temporary file.

    Raises:
        OSError: It could not be written; the former content still stands.
    """
    temporary = unique(scratch, os.path.basename(path))
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        for block in blocks:
            write_all(descriptor, block)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(temporary, path)
    sync_folder(os.path.dirname(path))


def replace_link(target: str, path: str, scratch: str) -> None:
    """Make `path` a symbolic link to `target`, over whatever link stood there; not yet synced.

    The link is born under a name of its own and then renamed: whoever reads `path` meanwhile
    finds the old target or the new one, and a temporary link that a crash has left behind is
    never taken for a new one.
    """
    temporary = unique(scratch, os.path.basename(path))
    os.symlink(target, temporary)
    os.rename(temporary, path)


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of `data`, however many calls that takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(path: str) -> None:
    """Wait until the entries of a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file_system(path: str) -> None:
    """Wait until everything on the file system that holds `path` is on the disk.

    One `syncfs` instead of an `fsync` a file: ten times faster for a release of many files.

    Raises:
        OSError: The disk refused some of it.
    """
    call = _syncfs()
    if call is None:
        os.sync()
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        call(descriptor)
    finally:
        os.close(descriptor)


def _syncfs() -> Callable[[int], None] | None:
    try:
        import ctypes

        function = ctypes.CDLL(None, use_errno=True).syncfs
    except (ImportError, OSError, AttributeError):
        return None

    def call(descriptor: int) -> None:
        if function(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    return call
