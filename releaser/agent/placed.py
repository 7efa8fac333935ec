"""A file with its rights, put in its place at one stroke."""

from __future__ import annotations

import os
import stat

from .durable import sync_folder, write_all
from .named_tuple import NamedTuple


class Placed(NamedTuple):
    """What a file is to be.

    Attributes:
        data: Its content.
        mode: Permission bits.
        owner: Number of the user; None for the one who writes it.
        group: Number of the group, in the same way.
    """

    data: bytes
    mode: int
    owner: int | None
    group: int | None


def place(path: str, wanted: Placed, temporary: str) -> None:
    """Write a file under a name of its own and rename it; whoever reads finds the old or the new.

    Nobody else can read it before it has its rights.

    Args:
        path: The file; its folder must exist.
        wanted: What it is to be.
        temporary: A path on the same file system; what stands there is removed.

    Raises:
        OSError: It could not be written; what stood there still does.
    """
    remove(temporary)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600)
    try:
        write_all(descriptor, wanted.data)
        if wanted.owner is not None or wanted.group is not None:
            owner = -1 if wanted.owner is None else wanted.owner
            group = -1 if wanted.group is None else wanted.group
            os.fchown(descriptor, owner, group)
        # After that: a change of owner takes some of the bits away.
        os.fchmod(descriptor, wanted.mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(temporary, path)
    sync_folder(os.path.dirname(path))


def has_rights(status: os.stat_result, wanted: Placed) -> bool:
    """Whether a file that is there has the rights that it is to have."""
    return (
        stat.S_IMODE(status.st_mode) == wanted.mode
        and wanted.owner in (None, status.st_uid)
        and wanted.group in (None, status.st_gid)
    )


def remove(path: str) -> None:
    """Remove a file or link, if there is one."""
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return
