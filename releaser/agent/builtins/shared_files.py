"""Back up and restore folders and files of `shared/`, as a tar archive (POSIX.1-2001, pax).

Kept are folders, files, symbolic links, modes, times, and owners by name. Sockets, pipes and
devices are what running programs make anew, and are left out.
"""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import stat
import tarfile

from ..durable import sync_file_system, sync_folder, write_all
from ..errors import AgentError
from ..paths import check_path
from ..swap import exchange
from ..trash import delete
from .gzipped import compressed, decompressed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layout import Layout
    from ..parameters import Parameters
    from .deadline import Deadline

SUFFIX = ".tar.gz"

_BLOCK = 256 * 1024
_NOFOLLOW = os.O_NOFOLLOW | os.O_CLOEXEC


class Database:
    """Some paths of `shared/`; of one shape with databases, which are treated alike."""

    def __init__(self, layout: Layout, parameters: Parameters, options: Parameters) -> None:
        """Take the paths.

        Raises:
            AgentError: `invalid`: one leaves `shared/`.
        """
        del parameters
        self._shared = layout.shared
        self._paths = [check_path(path) for path in options.texts("paths")]
        self.name = ", ".join(self._paths)

    def names(self, stamp: str) -> tuple[str, str]:
        """Return what a restore is called while it is made, and what it replaces afterwards."""
        return "restoring", f".before-{stamp}"

    def tool(self, deadline: Deadline) -> str:
        """Return the name of the format."""
        del deadline
        return "tar (pax)"

    def dump(self, deadline: Deadline) -> Iterator[bytes]:
        """Yield an archive of all paths, compressed.

        Raises:
            AgentError: `missing`: one is not there.
            OSError: One cannot be read.
        """
        for path in self._paths:
            if not os.path.lexists(os.path.join(self._shared, path)):
                raise AgentError(
                    "missing", f"there is no {os.path.join(self._shared, path)} on this host"
                )
        yield from compressed(self._archive(deadline))

    def ready(self, deadline: Deadline) -> None:
        """Return if all paths can be replaced.

        Raises:
            AgentError: `invalid`: one is a file system of its own. `permission`.
        """
        del deadline
        for path in self._paths:
            place = self._place(path)
            if os.path.ismount(place):
                raise AgentError(
                    "invalid",
                    f"{place} is a file system of its own, which nothing can be renamed to",
                    "Name the folders in it one by one in `paths`.",
                )
            folder = os.path.dirname(place)
            if not os.access(folder, os.W_OK):
                raise AgentError("permission", f"{folder} cannot be written")

    def load(self, blocks: Iterator[bytes], beside: str, deadline: Deadline) -> None:
        """Unpack beside the paths; what an earlier try left there goes first.

        Raises:
            AgentError: `corrupt`: it is no such archive. `invalid`: it holds other paths.
        """
        self.drop(beside, deadline)
        reader = _Reader(decompressed(blocks), deadline)
        trees = {path: _Tree(self._beside(path, beside)) for path in self._paths}
        try:
            with tarfile.open(fileobj=reader, mode="r|") as archive:  # type: ignore[call-overload]
                for member in archive:
                    name = check_path(member.name)
                    top = next((p for p in trees if name == p or name.startswith(p + "/")), None)
                    if top is None:
                        raise AgentError(
                            "invalid", f"the back-up holds {name!r}, which `paths` does not name"
                        )
                    trees[top].add(name[len(top) + 1 :], member, archive)
            # To the end, where the check sum is.
            while reader.read(_BLOCK):
                pass
        except tarfile.TarError as error:
            raise AgentError("corrupt", f"the back-up's archive is damaged: {error}") from error
        for tree in trees.values():
            tree.finish()

    def swap(self, beside: str, kept: str, deadline: Deadline) -> str:
        """Let what was unpacked and what is there change names; return how to go back.

        Raises:
            OSError: The file system refuses; those paths that had changed are as they were.
        """
        del deadline
        done: list[tuple[str, str, str]] = []
        words = []
        try:
            for path in self._paths:
                place, new = self._place(path), self._beside(path, beside)
                if not os.path.lexists(new):
                    continue
                keep = os.path.join(os.path.dirname(place), f"{os.path.basename(place)}{kept}")
                if os.path.lexists(place):
                    # Under the name of what it will be: whatever happens, nothing old is at a name
                    # that another try would clear.
                    os.rename(new, keep)
                    done.append((new, keep, ""))
                    exchange(keep, place, f"{keep}.spare")
                    done[-1] = (new, keep, place)
                    words.append(f"{_move(place, f'{place}.undone')} && {_move(keep, place)}")
                else:
                    os.rename(new, place)
                    done.append((new, place, ""))
                    words.append(_move(place, f"{place}.undone"))
                sync_folder(os.path.dirname(place))
        except OSError:
            for new, now, place in reversed(done):
                if place:
                    exchange(now, place, f"{now}.spare")
                os.rename(now, new)
            raise
        return "; ".join(words)

    def drop(self, beside: str, deadline: Deadline) -> None:
        """Take away what a restore has made beside the paths."""
        del deadline
        for path in self._paths:
            if os.path.lexists(self._beside(path, beside)):
                delete(self._beside(path, beside))

    def _place(self, path: str) -> str:
        # `shared/media` may be a link to a larger disk; what it leads to is replaced there.
        return os.path.realpath(os.path.join(self._shared, path))

    def _beside(self, path: str, beside: str) -> str:
        folder, name = os.path.split(self._place(path))
        return os.path.join(folder, f".{name}.{beside}")

    def _archive(self, deadline: Deadline) -> Iterator[bytes]:
        for path in self._paths:
            yield from _add(self._place(path), path, deadline)
        yield bytes(2 * tarfile.BLOCKSIZE)


def _move(one: str, other: str) -> str:
    return f"mv {shlex.quote(one)} {shlex.quote(other)}"


def _add(path: str, name: str, deadline: Deadline) -> Iterator[bytes]:
    """Yield the archive's part for a file, or a folder and all that it holds."""
    deadline.left()
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return  # gone since it was listed
    info = tarfile.TarInfo(name)
    info.mode, info.mtime = stat.S_IMODE(found.st_mode), int(found.st_mtime)
    info.uid, info.gid = found.st_uid, found.st_gid
    info.uname, info.gname = _user(found.st_uid), _group(found.st_gid)
    if stat.S_ISREG(found.st_mode):
        yield from _file(path, info)
    elif stat.S_ISLNK(found.st_mode):
        info.type = tarfile.SYMTYPE
        try:
            info.linkname = os.readlink(path)
        except FileNotFoundError:
            return  # gone meanwhile
        yield _header(info)
    elif stat.S_ISDIR(found.st_mode):
        info.type = tarfile.DIRTYPE
        yield _header(info)
        for entry in _entries(path):
            yield from _add(os.path.join(path, entry), f"{name}/{entry}", deadline)


def _entries(path: str) -> list[str]:
    try:
        return sorted(os.listdir(path))
    except FileNotFoundError:
        return []  # gone meanwhile


def _file(path: str, info: tarfile.TarInfo) -> Iterator[bytes]:
    """Yield a file's header and content, at the length that it has when it is opened."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _NOFOLLOW)
    except FileNotFoundError:
        return  # gone meanwhile
    try:
        info.size = left = os.fstat(descriptor).st_size
        yield _header(info)
        while left:
            block = os.read(descriptor, min(_BLOCK, left))
            if not block:
                raise AgentError(
                    "step-failed",
                    f"{path} was cut short while it was read",
                    "Back it up at a time when nothing does that, or leave it out of `paths`.",
                )
            left -= len(block)
            yield block
        yield bytes(-info.size % tarfile.BLOCKSIZE)
    finally:
        os.close(descriptor)


def _header(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


class _Reader:
    """What `tarfile` reads from: blocks as a file."""

    def __init__(self, blocks: Iterator[bytes], deadline: Deadline) -> None:
        self._blocks = blocks
        self._deadline = deadline
        self._held = b""

    def read(self, size: int) -> bytes:
        self._deadline.left()
        while len(self._held) < size:
            block = next(self._blocks, b"")
            if not block:
                break
            self._held += block
        given, self._held = self._held[:size], self._held[size:]
        return given


class _Tree:
    """A file or folder that is being unpacked; nothing is written through a link."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._folders: list[tuple[str, tarfile.TarInfo]] = []
        self._made = {""}

    def add(self, name: str, member: tarfile.TarInfo, archive: tarfile.TarFile) -> None:
        """Unpack one member; `name` is relative, empty for the top."""
        path = os.path.join(self._place, name) if name else self._place
        if os.path.dirname(name) not in self._made:
            raise AgentError("corrupt", f"the back-up holds {member.name!r} without its folder")
        if member.isdir():
            os.mkdir(path, 0o700)
            self._made.add(name)
            self._folders.append((path, member))
        elif member.issym():
            os.symlink(member.linkname, path)
            _own(path, member)
        elif member.isreg():
            self._write(path, member, archive)
        else:
            raise AgentError("corrupt", f"the back-up holds {member.name!r} of an unknown kind")

    def finish(self) -> None:
        """Give folders their own modes and times, the deepest first, and wait for the disk."""
        for path, member in reversed(self._folders):
            _own(path, member)
            os.chmod(path, member.mode & 0o7777)
            os.utime(path, (member.mtime, member.mtime))
        if os.path.lexists(self._place):
            sync_file_system(os.path.dirname(self._place))

    def _write(self, path: str, member: tarfile.TarInfo, archive: tarfile.TarFile) -> None:
        content = archive.extractfile(member)
        if content is None:
            raise AgentError("corrupt", f"the back-up holds {member.name!r} without its content")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW, 0o600)
        try:
            while True:
                block = content.read(_BLOCK)
                if not block:
                    break
                write_all(descriptor, block)
        finally:
            os.close(descriptor)
        _own(path, member)
        os.chmod(path, member.mode & 0o7777)
        os.utime(path, (member.mtime, member.mtime))


def _own(path: str, member: tarfile.TarInfo) -> None:
    """Give a path its owner and group, by name where this host knows it; only root can."""
    if os.geteuid() != 0:
        return
    try:
        uid = pwd.getpwnam(member.uname).pw_uid
    except KeyError:
        uid = member.uid
    try:
        gid = grp.getgrnam(member.gname).gr_gid
    except KeyError:
        gid = member.gid
    os.chown(path, uid, gid, follow_symlinks=False)


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return ""


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return ""
