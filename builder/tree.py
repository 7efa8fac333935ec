"""Look at a finished tree once more, and refuse what could not be released as it is."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

from castoff.builder.errors import BuildError, UnfitTree
from castoff.builder.layer import Layer
from castoff.builder.links import leaves
from castoff.builder.rows import FILE, FOLDER, LINK, PROGRAM, TreeFile
from castoff.store.digest import sha256_file, tree_digest
from castoff.store.filetable import File, FileTable, Link

_Entry = TypeVar("_Entry")
_NAME = attrgetter("name")


@dataclass(frozen=True)
class Tree:
    """Everything in a tree, each list in the order of UTF-8 paths.

    Attributes:
        top: Its folder.
        own_directories: Those that are there; files and links likewise.
        own_files: See there.
        own_links: See there.
        layer: What else is in it, and not in that folder; None where all is there.
    """

    top: Path
    own_directories: tuple[str, ...]
    own_files: tuple[TreeFile, ...]
    own_links: tuple[Link, ...]
    layer: Layer | None = None

    @cached_property
    def directories(self) -> tuple[str, ...]:
        """The paths of all directories."""
        if self.layer is None:
            return self.own_directories
        return _merged(self.own_directories, self.layer.rows.of_kind(FOLDER), str)

    @cached_property
    def files(self) -> tuple[TreeFile, ...]:
        """All regular files; where only their paths are wanted, `paths` has them sooner."""
        if self.layer is None:
            return self.own_files
        return _merged(self.own_files, self.layer.rows.files, _path)

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """All symbolic links."""
        if self.layer is None:
            return self.own_links
        targets = self.layer.rows.targets
        there = (Link(path, targets[path]) for path in self.layer.rows.of_kind(LINK))
        return _merged(self.own_links, there, _path)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The paths of all regular files."""
        own = tuple(file.path for file in self.own_files)
        if self.layer is None:
            return own
        return _merged(own, self.layer.rows.of_kind(FILE, PROGRAM), str)

    def file(self, path: str) -> TreeFile | None:
        """Return the regular file of this path, if there is one."""
        if self.layer is None or not self.layer.has(path):
            return self._own.get(path)
        number = self.layer.rows.index.get(path)
        if number is None or not self.layer.rows.is_file(number):
            return None
        return self.layer.rows.file(number)

    @cached_property
    def _own(self) -> Mapping[str, TreeFile]:
        return {file.path: file for file in self.own_files}

    def read(self, file: TreeFile, start: int = 0, length: int | None = None) -> bytes:
        """Return a part of a file, or all of it; it is not compared with its digest.

        Raises:
            OSError: It cannot be read.
        """
        length = file.size + 1 if length is None else length
        if self.layer is not None and self.layer.has(file.path):
            return self.layer.read(file.path, start, length)
        with (self.top / file.path).open("rb") as opened:
            opened.seek(start)
            return opened.read(length)

    def read_file(self, file: TreeFile, start: int, length: int) -> bytes:
        """Return a part of a file; see `read`."""
        return self.read(file, start, length)

    def check(self, file: TreeFile) -> None:
        """Read a file whole, in pieces, and compare it with its digest.

        Raises:
            BuildError: It is no longer what `walk` found.
            Damaged: The layer is.
        """
        if self.layer is not None and self.layer.has(file.path):
            self.layer.check(file.path)
            return
        path = self.top / file.path
        check_unchanged(file, path.stat().st_size, sha256_file(path))

    def digest(self) -> str:
        """Return the digest that identifies it, whatever it is packed in."""
        rows = tuple(File(f.path, f.executable, f.size, f.sha256, 0, 0) for f in self.files)
        return tree_digest(FileTable((), self.directories, rows, self.links))


def _merged(
    own: tuple[_Entry, ...], layer: Iterable[_Entry], path: Callable[[_Entry], str]
) -> tuple[_Entry, ...]:
    # By code points, which is the order of UTF-8.
    return tuple(sorted((*own, *layer), key=path))


def _path(entry: TreeFile | Link) -> str:
    return entry.path


def walk(
    top: Path, layer: Layer | None = None, *, digests: Mapping[str, str] | None = None
) -> Tree:
    """List a tree and hash its files.

    Args:
        top: Its folder.
        layer: What else belongs to it, from an earlier build that has looked at it; what lies in
            its place is not looked at.
        digests: SHA-256 of files that need not be read again, by path.

    Raises:
        UnfitTree: It holds something that cannot be released: a device, a set-user-id program,
            a link that leaves the tree, a name that is not UTF-8 or holds a control character, or
            two names that are one where case does not count (as on macOS).
    """
    known = digests or {}
    listed = list_tree(top)
    files = []
    for path, status in listed.files.items():
        if layer is not None and layer.has(path):
            continue
        if status.st_mode & (stat.S_ISUID | stat.S_ISGID):
            raise UnfitTree(
                f"{path!r} is a set-user-id or set-group-id program",
                hint="A release holds no such rights: give them on the host, by sudo or systemd.",
            )
        digest = known.get(path) or sha256_file(top / path)
        files.append(TreeFile(path, bool(status.st_mode & 0o100), status.st_size, digest))
    directories = (path for path in listed.directories if layer is None or not layer.has(path))
    links = (link for link in listed.links if layer is None or not layer.has(link.path))
    return Tree(
        top,
        tuple(sorted(directories)),
        tuple(sorted(files, key=_path)),
        tuple(sorted(links, key=_path)),
        layer,
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """What is in a folder, by path from the tree's top; nothing has been read yet.

    Attributes:
        directories: A folder before what is in it.
        files: With their status.
    """

    directories: tuple[str, ...]
    files: Mapping[str, os.stat_result]
    links: tuple[Link, ...]


def list_tree(top: Path, under: str = "") -> Listed:
    """List what is in a tree.

    Args:
        top: Its folder.
        under: A folder in it, if the rest does not count.

    Raises:
        UnfitTree: It holds something that cannot be released, as `walk` says, save for rights.
    """
    directories: list[str] = []
    files: dict[str, os.stat_result] = {}
    links: list[Link] = []
    folded: dict[str, str] = {}
    for path, entry in _entries(top, under):
        _check_name(path, folded)
        # The folder that it lies in says of each what it is.
        if entry.is_dir(follow_symlinks=False):
            directories.append(path)
        elif entry.is_symlink():
            target = os.readlink(entry.path)  # noqa: PTH115 - Path would drop a dot
            _check_utf8(target)
            links.append(Link(path, target))
        elif not entry.is_file(follow_symlinks=False):
            raise UnfitTree(f"{path!r} is neither a file, a directory nor a link")
        else:
            files[path] = entry.stat(follow_symlinks=False)
    _check_links(links)
    return Listed(tuple(directories), files, tuple(links))


def check_content(tree: Tree, *, of_ours: Collection[str]) -> None:
    """Refuse a release of nothing.

    Args:
        tree: What `walk` found.
        of_ours: Files that every build has, whatever the project holds.

    Raises:
        UnfitTree: There is nothing else.
    """
    own = any(file.path not in of_ours for file in tree.own_files) or tree.own_links
    if tree.layer is None and not own:
        raise UnfitTree(
            "the release would hold no file of the project",
            hint="Only what git tracks is built: are the project's files committed, and do `path`, "
            "`include` and `exclude` in castoff.toml leave any?",
        )


def check_unchanged(file: TreeFile, size: int, sha256: str) -> None:
    """Compare what was just read of a file with what `walk` found.

    Args:
        file: What was found.
        size: How many bytes were read.
        sha256: Their digest.

    Raises:
        BuildError: They differ: an archive of them would hold something other than its table says.
    """
    if (size, sha256) != (file.size, file.sha256):
        raise BuildError(
            f"{file.path!r} changed while it was packed",
            hint="Some process still writes into the build's own folder: look at what the build "
            "steps of the project leave running.",
        )


def _entries(top: Path, under: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    pending = [f"{under}/" if under else ""]
    while pending:
        folder = pending.pop()
        with os.scandir(f"{top}/{folder}") as entries:
            # By code points, which is the order of UTF-8.
            for entry in sorted(entries, key=_NAME):
                path = folder + entry.name
                yield path, entry
                if entry.is_dir(follow_symlinks=False):
                    pending.append(path + "/")


def _check_name(path: str, folded: dict[str, str]) -> None:
    # Nearly all of ten thousand are plain; what is done to the others makes the same of these.
    key = path.lower() if path.isascii() and path.isprintable() else _folded(path)
    if key in folded:
        raise UnfitTree(
            f"two names differ only by case or composition: {_apart(folded[key], path)}",
            hint="On some file systems they are one file: rename or exclude one of them.",
        )
    folded[key] = path


def _folded(path: str) -> str:
    _check_utf8(path)
    if not path.isprintable() and any(unicodedata.category(sign) == "Cc" for sign in path):
        raise UnfitTree(
            f"a name holds a newline or another control character: {path!r}",
            hint="Rename it, or exclude it.",
        )
    # What file systems that ignore case also ignore: how an accent is composed.
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _check_utf8(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnfitTree(
            f"a name is not UTF-8: {os.fsencode(text)!r}", hint="Rename it, or exclude it."
        ) from None


def _check_links(links: list[Link]) -> None:
    targets = {link.path: link.target for link in links}
    for link in links:
        if leaves(link.path, targets):
            raise UnfitTree(
                f"the link {link.path!r} leaves the release: it leads to {link.target!r}",
                hint="Commit what it leads to, list the path under `shared` in castoff.toml, "
                "or exclude it.",
            )


def _apart(one: str, other: str) -> str:
    """Return two names so that they can be told apart, even where they look alike."""
    alike = unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)
    show = ascii if alike else repr
    return f"{show(one)} and {show(other)}"
