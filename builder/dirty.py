"""The working tree as a git tree: tracked files as they are on disk now.

It is made by git itself, in an index and an object folder of our own, so that it is exported in
exactly the way of a commit and the repository stays untouched.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from castoff.builder.errors import SourceError
from castoff.builder.git import Git

# Files beyond so many bytes are read once, as a stream, and written as they were read. Smaller ones
# git maps into memory, and stops without their name if they change meanwhile.
_STREAMED_FROM = "32k"
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class DirtyTree:
    """A git tree that no commit has.

    Attributes:
        sha: Its id, a digest of all its content.
        environment: Where git finds its objects.
    """

    sha: str
    environment: dict[str, str]


def write_tree(git: Git, work: Path) -> DirtyTree:
    """Make the tree of what is tracked, staged additions among it; untracked files stay out.

    Args:
        git: The repository, at its top folder.
        work: A folder that lives until the tree has been exported.

    Raises:
        SourceError: Git cannot read the working tree, or a file changed while it was read.
    """
    index, objects = work / "index", work / "objects"
    objects.mkdir()
    current = git.folder / git.text("rev-parse", "--git-path", "index")
    if current.exists():
        # With its time: git looks into files that are as old as their index, for most builds of it
        # know times by the second alone.
        shutil.copy2(current, index)
    theirs = git.folder / git.text("rev-parse", "--git-path", "objects")
    environment = {
        "GIT_INDEX_FILE": str(index),
        "GIT_OBJECT_DIRECTORY": str(objects),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(theirs.resolve()),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.bigFileThreshold",
        "GIT_CONFIG_VALUE_0": _STREAMED_FROM,
    }
    before = _stamps(git)
    git.run("add", "--update", extra=environment)
    sha = git.run("write-tree", extra=environment).decode().strip()
    changed = [repr(name) for name, stamp in _stamps(git).items() if stamp != before.get(name)]
    if changed:
        raise SourceError(
            f"{', '.join(changed[:_MOST_NAMED])} changed while the working tree was read",
            hint="Build again when nothing writes to it, or commit and build the commit.",
        )
    return DirtyTree(sha, environment)


def _stamps(git: Git) -> dict[str, tuple[int, int, int] | None]:
    """Return what tells of each tracked file whether it is what it was; None if it is not there."""
    names = git.run("ls-files", "-z").decode(errors="surrogateescape").split("\0")[:-1]
    return {name: _stamp(git.folder / name) for name in names}


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
