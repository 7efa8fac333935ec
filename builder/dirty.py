"""The working tree as a git tree: tracked files as they are on disk now.

It is made by git itself, in an index and an object folder of our own, so that it is exported in
exactly the way of a commit and the repository stays untouched.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from castoff.builder.git import Git


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
        SourceError: Git cannot read the working tree.
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
    }
    git.run("add", "--update", extra=environment)
    sha = git.run("write-tree", extra=environment).decode().strip()
    return DirtyTree(sha, environment)
