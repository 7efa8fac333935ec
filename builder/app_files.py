"""Copy the project's own files into `app/`, as `include` and `exclude` say."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from castoff.builder.errors import SourceError
from castoff.builder.globs import compile_glob


def copy_app(
    folder: Path, destination: Path, *, include: Sequence[str], exclude: Sequence[str]
) -> None:
    """Copy files and links; links stay links.

    Globs are relative to `folder`: `*` and `?` stop at a slash, `**` does not, and a glob that
    names a folder takes all that is in it.

    Args:
        folder: The app's folder in the export.
        destination: Made where anything is copied.
        include: What is wanted.
        exclude: What is not, even so.

    Raises:
        SourceError: A glob of `include` fits nothing: it is a slip, or the files are not tracked.
    """
    wanted = [(glob, compile_glob(glob, key="include")) for glob in include]
    unwanted = [compile_glob(glob, key="exclude") for glob in exclude]
    fitting: set[str] = set()
    for path in sorted(_files(folder)):
        name = path.relative_to(folder).as_posix()
        fits = [glob for glob, pattern in wanted if pattern.fullmatch(name)]
        fitting.update(fits)
        if fits and not any(pattern.fullmatch(name) for pattern in unwanted):
            target = destination / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target, follow_symlinks=False)
    for glob in include:
        # "Everything" may be nothing.
        if glob not in fitting and glob != "**":
            raise SourceError(
                f"include: {glob!r} fits no file of the commit below {folder.name}",
                hint="Globs are relative to the app's `path`, and only what git tracks is there.",
            )


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        else:
            yield path
