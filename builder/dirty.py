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
        shutil.copyfile(current, index)
    theirs = git.folder / git.text("rev-parse", "--git-path", "objects")
    environment = {
        "GIT_INDEX_FILE": str(index),
        "GIT_OBJECT_DIRECTORY": str(objects),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(theirs.resolve()),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.bigFileThreshold",
        "GIT_CONFIG_VALUE_0": _STREAMED_FROM,
    }
    git.run("add", "--update", extra=environment)
    sha = git.run("write-tree", extra=environment).decode().strip()
    _refuse_changed(git, environment)
    return DirtyTree(sha, environment)


def _refuse_changed(git: Git, environment: dict[str, str]) -> None:
    """Compare the files with what git noted of them before it read each."""
    changed = git.run("diff-files", "--name-only", "-z", extra=environment)
    names = changed.decode(errors="surrogateescape").split("\0")[:-1]
    if names:
        raise SourceError(
            f"{', '.join(repr(name) for name in names[:5])} changed while the working tree was "
            "read",
            hint="Build again when nothing writes to it, or commit and build the commit.",
        )
