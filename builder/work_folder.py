"""The folder of one build, which goes with it, even if the build was killed."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from castoff.builder.errors import BuildError
from castoff.store import machine
from castoff.store.errors import CastoffError

# Folders in it: the exported commit, and the release's tree.
SOURCE, TREE = "source", "tree"

_PREFIX = "castoff-build-"
# Locked for as long as its build lives; the kernel lets go of it, however that ends.
_ALIVE = "alive"


@contextmanager
def work_folder() -> Iterator[Path]:
    """Make a folder among the user's temporary ones; remove it, and what killed builds left.

    The messages of errors that pass name no file in it, but the project's or the release's own.

    Raises:
        BuildError: It cannot be made, or the machine refuses what is done in it: the disk is full,
            say.
    """
    try:
        remove_abandoned(Path(tempfile.gettempdir()))
        with tempfile.TemporaryDirectory(prefix=_PREFIX) as name:
            folder = Path(name)
            with _alive(folder), _named_as_in_project(folder):
                yield folder
    except OSError as error:
        if error.errno not in machine.REFUSALS:
            raise
        where = tempfile.gettempdir() if error.filename is None else error.filename
        raise BuildError(f"{where}: {error.strerror}", hint=_hint(error)) from error


def _hint(error: OSError) -> str:
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "Let it open more files: ulimit -n"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS):
        return (
            f"A build needs room for some copies of the release in {tempfile.gettempdir()}; "
            "TMPDIR names another place."
        )
    return ""


def remove_abandoned(parent: Path) -> None:
    """Remove the folders of this user's builds that no longer run.

    Args:
        parent: Where builds make their folders.
    """
    for folder in parent.glob(f"{_PREFIX}*"):
        # Whoever is in the way, another user or another build, will not keep this one from its job.
        with suppress(OSError):
            if folder.lstat().st_uid == os.geteuid() and not folder.is_symlink():
                _remove_if_dead(folder)


@contextmanager
def _alive(folder: Path) -> Iterator[None]:
    # Locked before it has its name, so that nobody finds it unlocked while the build lives.
    making = folder / f"{_ALIVE}.new"
    with making.open("xb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        making.rename(folder / _ALIVE)
        yield


@contextmanager
def _named_as_in_project(folder: Path) -> Iterator[None]:
    """In what tools say, name files as the user knows them: from the top of the repository."""
    try:
        yield
    except CastoffError as error:
        for part in (SOURCE, TREE):
            for top in (folder, folder.resolve()):
                error.message = error.message.replace(f"{top}/{part}/", "")
        error.args = (error.message,)
        raise


def _remove_if_dead(folder: Path) -> None:
    with (folder / _ALIVE).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The file last: a folder without it is never looked at again, whatever of it has stayed.
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry)
        shutil.rmtree(folder)
