"""Back up and restore a database of SQLite while it is in use, by SQLite's online back-up.

https://www.sqlite.org/backup.html: a copy is of one moment, whoever writes meanwhile; and content
is replaced in one transaction of the file itself, which other connections see as any other. (A
rename under open connections would leave them writing to the file that was moved away.)
"""

from __future__ import annotations

import os
import shlex
import sqlite3
from contextlib import closing
from urllib.parse import quote

from ..durable import sync_folder, write_all
from ..errors import AgentError
from .gzipped import compressed, decompressed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from ..layout import Layout
    from ..parameters import Parameters
    from .deadline import Deadline

SUFFIX = ".sqlite.gz"

_BLOCK = 256 * 1024
# Pages between two looks at the clock, and seconds that a lock of another's is waited for.
_PAGES = 1000
_BUSY = 10.0
# What SQLite keeps beside a database.
_BESIDE = ("-wal", "-shm", "-journal")


class Database:
    """One file."""

    def __init__(self, layout: Layout, parameters: Parameters, options: Parameters) -> None:
        """Take the file's path: absolute, or below the app's `shared/`."""
        del parameters
        self._path = os.path.join(layout.shared, options.text("database"))
        self.name = os.path.basename(self._path)

    def names(self, stamp: str) -> tuple[str, str]:
        """Return what a restore is called while it is made, and what it replaces afterwards."""
        return "restoring", f"{self.name}.before-{stamp}"

    def tool(self, deadline: Deadline) -> str:
        """Return the name and version of what makes the back-up."""
        del deadline
        return f"SQLite {sqlite3.sqlite_version}"

    def dump(self, deadline: Deadline) -> Iterator[bytes]:
        """Yield the database as it is at one moment, compressed.

        Raises:
            AgentError: `missing`: there is none. `step-failed`: it is locked, or damaged.
        """
        if not os.path.isfile(self._path):
            raise self._missing()
        copy = f"{self._path}.backing-up"
        try:
            os.close(_make(copy, like=self._path))
            self._copied(self._path, copy, deadline)
            with open(copy, "rb") as file:
                yield from compressed(_blocks(file, deadline))
        finally:
            _remove(copy)

    def ready(self, deadline: Deadline) -> None:
        """Return if the database can be replaced.

        Raises:
            AgentError: `missing`: its folder is not there. `permission`: it may not be written.
        """
        del deadline
        folder = os.path.dirname(self._path)
        if not os.path.isdir(folder):
            raise AgentError("missing", f"there is no folder {folder} on this host")
        for path in (folder, self._path):
            if os.path.exists(path) and not os.access(path, os.W_OK):
                raise AgentError("permission", f"{path} cannot be written")

    def load(self, blocks: Iterator[bytes], beside: str, deadline: Deadline) -> None:
        """Write a new file beside the database, and let SQLite check all of it.

        Raises:
            AgentError: `corrupt`.
        """
        path = self._beside(beside)
        self.drop(beside, deadline)
        descriptor = _make(path, like=self._path)
        try:
            for block in decompressed(blocks):
                deadline.left()
                write_all(descriptor, block)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            with closing(_opened(path)) as connection:
                found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        except sqlite3.DatabaseError as error:
            found = str(error)
        if found != "ok":
            raise AgentError("corrupt", f"what the back-up holds is no sound database: {found}")

    def swap(self, beside: str, kept: str, deadline: Deadline) -> str:
        """Keep the present content in a file beside it, and replace it; return how to go back.

        Raises:
            AgentError: `step-failed`: it is locked by somebody for too long.
        """
        path, keep = self._beside(beside), os.path.join(os.path.dirname(self._path), kept)
        if not os.path.exists(self._path) or not self._keep(keep, deadline):
            # Nobody can be at work in what is not there, or is no database.
            for end in ("", *_BESIDE):
                if os.path.exists(self._path + end):
                    os.rename(self._path + end, keep + end)
            os.rename(path, self._path)
        else:
            self._copied(path, self._path, deadline)
            self.drop(beside, deadline)
        sync_folder(os.path.dirname(self._path))
        return f"sqlite3 {shlex.quote(self._path)} {shlex.quote(f'.restore {keep}')}"

    def drop(self, beside: str, deadline: Deadline) -> None:
        """Take away what a restore has made beside the database."""
        del deadline
        _remove(self._beside(beside))

    def _keep(self, path: str, deadline: Deadline) -> bool:
        """Copy the present content; return whether it is that of a database."""
        try:
            os.close(_make(path, like=self._path))
            with closing(_opened(self._path)) as connection:
                connection.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            _remove(path)
            return False
        self._copied(self._path, path, deadline)
        return True

    def _copied(self, source: str, target: str, deadline: Deadline) -> None:
        """Make one file's content that of another, in one transaction."""

        def look(_status: int, _remaining: int, _total: int) -> None:
            deadline.left()

        try:
            with closing(_opened(source)) as one, closing(_opened(target)) as other:
                # A read that lasts: else whoever writes meanwhile makes the copy begin anew.
                one.execute("BEGIN")
                one.execute("SELECT count(*) FROM sqlite_master").fetchone()
                one.backup(other, pages=_PAGES, progress=look, sleep=0.05)
        except sqlite3.Error as error:
            raise AgentError(
                "step-failed", f"SQLite cannot copy {source} to {target}: {error}"
            ) from error

    def _beside(self, beside: str) -> str:
        return f"{self._path}.{beside}"

    def _missing(self) -> AgentError:
        return AgentError(
            "missing",
            f"there is no database {self._path} on this host",
            "`database` is its path: absolute, or below the app's shared/. Before a first release: "
            "put the database, or an empty file, there.",
        )


def _opened(path: str) -> sqlite3.Connection:
    # Not made where it is not there; `isolation_level`: Python begins no transactions of its own.
    return sqlite3.connect(
        f"file:{quote(path)}?mode=rw", uri=True, timeout=_BUSY, isolation_level=None
    )


def _make(path: str, *, like: str) -> int:
    """Make an empty file, of the same owner as another one; return its descriptor."""
    _remove(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    if os.path.exists(like):
        found = os.stat(like)
        os.fchmod(descriptor, found.st_mode & 0o777)
        if os.geteuid() == 0:
            os.fchown(descriptor, found.st_uid, found.st_gid)
    return descriptor


def _remove(path: str) -> None:
    for end in ("", *_BESIDE):
        try:
            os.unlink(path + end)
        except FileNotFoundError:
            continue


def _blocks(file: BinaryIO, deadline: Deadline) -> Iterator[bytes]:
    while True:
        deadline.left()
        block = file.read(_BLOCK)
        if not block:
            return
        yield block
