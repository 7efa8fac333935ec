"""Distributions that are built from the commit, and what a lock brings under their names."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

from packaging.utils import canonicalize_name

from castoff.builder.distributions import installed
from castoff.builder.lock import Lock
from castoff.builder.project import read_project
from castoff.builder.prune import remove_empty


def built_folders(lock: Lock | None, own: Path, *, wheel: bool) -> tuple[Path, ...]:
    """Return the folders of all projects that wheels are built of, the app's own last.

    Args:
        lock: Names the others.
        own: The app's folder.
        wheel: Whether a wheel is built of that, too.
    """
    local = () if lock is None else lock.local
    others = tuple(each for each in local if each != own.resolve())
    return (*others, own) if wheel else others


def names_in(lock: Lock, folders: Iterable[Path]) -> tuple[str, ...]:
    """Return the normalised names of projects that a lock may pin to a release of theirs as well.

    Args:
        lock: The lock; a word in it is enough.
        folders: The projects' folders. One whose name only its back end knows is left out.

    Raises:
        SourceError: A pyproject.toml cannot be read.
    """
    text = canonicalize_name(lock.file.read_text(encoding="utf-8"))
    projects = (read_project(folder) for folder in folders)
    names = {canonicalize_name(one.name) for one in projects if one is not None and one.name}
    return tuple(
        name for name in sorted(names) if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)
    )


def leave_out(lib: Path, names: Collection[str]) -> None:
    """Remove distributions of which the commit's own version is released.

    Args:
        lib: What was installed; it may be missing.
        names: Their normalised names.

    Raises:
        BuildError: A distribution cannot be read.
    """
    there = installed(lib)
    kept = {name for one in there if one.name not in names for name in one.files}
    for one in there:
        if one.name in names:
            for name in set(one.files) - kept:
                (lib / name).unlink(missing_ok=True)
                if (lib / name).parent.is_dir():
                    remove_empty(lib, (lib / name).parent)
            # What no RECORD lists; most often nothing, and the folder has gone with the rest.
            if one.info.is_dir():
                shutil.rmtree(one.info)
