"""Look at a finished tree once more, and refuse what could not be released as it is."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from castoff.builder.errors import BuildError
from castoff.builder.links import leaves
from castoff.store.digest import sha256_file, tree_digest
from castoff.store.filetable import File, FileTable, Link


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A regular file of a tree; see `castoff.store.filetable.File`."""

    path: str
    executable: bool
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Tree:
    """Everything in a tree, each list in the order of UTF-8 paths.

    Attributes:
        top: Its folder.
    """

    top: Path
    directories: tuple[str, ...]
    files: tuple[TreeFile, ...]
    links: tuple[Link, ...]

    def digest(self) -> str:
        """Return the digest that identifies it, whatever it is packed in."""
        rows = tuple(File(f.path, f.executable, f.size, f.sha256, 0, 0) for f in self.files)
        return tree_digest(FileTable((), self.directories, rows, self.links))


def walk(top: Path) -> Tree:
    """List a tree and hash its files.

    Raises:
        BuildError: It holds something that cannot be released: a device, a set-user-id program,
            a link that leaves the tree, a name that is not UTF-8 or holds a control character, or
            two names that are one where case does not count (as on macOS).
    """
    directories: list[str] = []
    files: list[TreeFile] = []
    links: list[Link] = []
    folded: dict[str, str] = {}
    for path, entry in _entries(top):
        _check_name(path, folded)
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            directories.append(path)
        elif stat.S_ISLNK(status.st_mode):
            target = os.readlink(entry.path)  # noqa: PTH115 - Path would drop a dot
            _check_utf8(target)
            links.append(Link(path, target))
        elif not stat.S_ISREG(status.st_mode):
            raise BuildError(f"{path!r} is neither a file, a directory nor a link")
        elif status.st_mode & (stat.S_ISUID | stat.S_ISGID):
            raise BuildError(
                f"{path!r} is a set-user-id or set-group-id program",
                hint="A release holds no such rights: give them on the host, by sudo or systemd.",
            )
        else:
            digest = sha256_file(Path(entry.path))
            executable = bool(status.st_mode & 0o100)
            files.append(TreeFile(path, executable, status.st_size, digest))
    _check_links(links)
    return Tree(
        top,
        tuple(sorted(directories, key=str.encode)),
        tuple(sorted(files, key=lambda file: file.path.encode())),
        tuple(sorted(links, key=lambda link: link.path.encode())),
    )


def check_content(tree: Tree, *, of_ours: Collection[str]) -> None:
    """Refuse a release of nothing.

    Args:
        tree: What `walk` found.
        of_ours: Files that every build has, whatever the project holds.

    Raises:
        BuildError: There is nothing else.
    """
    if not tree.links and all(file.path in of_ours for file in tree.files):
        raise BuildError(
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


def _entries(top: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    pending = [""]
    while pending:
        folder = pending.pop()
        with os.scandir(top / folder) as entries:
            for entry in sorted(entries, key=lambda entry: os.fsencode(entry.name)):
                path = folder + entry.name
                yield path, entry
                if entry.is_dir(follow_symlinks=False):
                    pending.append(path + "/")


def _check_name(path: str, folded: dict[str, str]) -> None:
    _check_utf8(path)
    if any(unicodedata.category(sign) == "Cc" for sign in path):
        raise BuildError(
            f"a name holds a newline or another control character: {path!r}",
            hint="Rename it, or exclude it.",
        )
    # What file systems that ignore case also ignore: how an accent is composed.
    key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
    if key in folded:
        raise BuildError(
            f"two names differ only by case or composition: {folded[key]!r} and {path!r}",
            hint="On some file systems they are one file: rename or exclude one of them.",
        )
    folded[key] = path


def _check_utf8(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BuildError(
            f"a name is not UTF-8: {os.fsencode(text)!r}", hint="Rename it, or exclude it."
        ) from None


def _check_links(links: list[Link]) -> None:
    targets = {link.path: link.target for link in links}
    for link in links:
        if leaves(link.path, targets):
            raise BuildError(
                f"the link {link.path!r} leaves the release: it leads to {link.target!r}",
                hint="Commit what it leads to, list the path under `shared` in castoff.toml, "
                "or exclude it.",
            )
