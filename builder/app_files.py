"""Copy the project's own files into `app/`, as `include` and `exclude` say."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from castoff.builder.errors import SourceError
from castoff.builder.globs import compile_glob

_NO_LINK = (errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EXDEV)


def copy_app(
    folder: Path,
    destination: Path,
    *,
    include: Sequence[str],
    exclude: Sequence[str],
    linked: bool = False,
) -> None:
    """Copy files and links; links stay links.

    Globs are relative to `folder`: `*` and `?` stop at a slash, `**` does not, and a glob that
    names a folder takes all that is in it.

    Args:
        folder: The app's folder in the export.
        destination: Made where anything is copied.
        include: What is wanted.
        exclude: What is not, even so.
        linked: Whether files may be hard links: where nothing writes into the export any more.

    Raises:
        SourceError: A glob of `include` fits nothing: it is a slip, or the files are not tracked.
    """
    wanted = [(glob, compile_glob(glob, key="include")) for glob in include]
    unwanted = [compile_glob(glob, key="exclude") for glob in exclude]
    fitting: set[str] = set()
    made: set[str] = set()
    for name in sorted(_files(folder)):
        fits = [glob for glob, pattern in wanted if pattern.fullmatch(name)]
        fitting.update(fits)
        if fits and not any(pattern.fullmatch(name) for pattern in unwanted):
            parent = name.rpartition("/")[0]
            if parent not in made:
                (destination / parent).mkdir(parents=True, exist_ok=True)
                made.add(parent)
            _copy(f"{folder}/{name}", f"{destination}/{name}", linked=linked)
    for glob in include:
        # "Everything" may be nothing.
        if glob not in fitting and glob != "**":
            raise SourceError(
                f"include: {glob!r} fits no file of the commit below {folder.name}",
                hint="Globs are relative to the app's `path`, and only what git tracks is there.",
            )


def part(app: Path) -> None:
    """Make copies of hard links: code of the project's is about to run, and may write into them.

    Args:
        app: What `copy_app` filled, or an installer; it may be missing.
    """
    if not app.is_dir():
        return
    for name in _files(app):
        path = app / name
        if path.lstat().st_nlink > 1:
            apart = app.with_name("apart")
            shutil.copy2(path, apart, follow_symlinks=False)
            apart.replace(path)


def _copy(source: str, target: str, *, linked: bool) -> None:
    if linked:
        try:
            # There are thousands of them.
            os.link(source, target, follow_symlinks=False)
        except OSError as error:
            # Not every file system has them, nor as many as are wanted.
            if error.errno not in _NO_LINK:
                raise
        else:
            return
    shutil.copy2(source, target, follow_symlinks=False)


def _files(folder: Path) -> Iterator[str]:
    """Yield what is not a folder, by paths from `folder` on."""
    pending = [""]
    while pending:
        inside = pending.pop()
        with os.scandir(folder / inside) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(f"{inside}{entry.name}/")
                else:
                    yield inside + entry.name
