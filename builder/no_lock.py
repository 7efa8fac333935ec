"""What a project without a lock asks for all the same, and how to make a lock of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from castoff.builder.errors import SourceError
from castoff.builder.globs import compile_glob
from castoff.builder.project import Project

_LOCK = "Make one and commit it: `castoff lock` (or `uv lock`)."
# Requirements files for people's own machines, by what their names say.
_OWN_USE = re.compile(r"dev|test|doc|lint|check|build|local|ci\b|tool|type")
_MOST_NAMED = 3


def no_lock(dependencies: Sequence[str], *, hint: str = _LOCK) -> SourceError:
    """Return the error for a project that needs a lock and has none."""
    shown = ", ".join(dependencies[:_MOST_NAMED])
    more = ", …" if len(dependencies) > _MOST_NAMED else ""
    return _error(f"pyproject.toml declares dependencies ({shown}{more})", hint)


def check_none_needed(folder: Path, project: Project | None, *, exclude: Sequence[str]) -> None:
    """See that a project without a lock has nothing that says it needs one.

    Args:
        folder: The app's folder in the export.
        project: Its pyproject.toml.
        exclude: Globs of files that stay out of the release, and so do not count.

    Raises:
        SourceError: Something asks for dependencies, which would silently be missing.
    """
    if project is not None and project.dependencies:
        raise no_lock(project.dependencies)
    patterns = [compile_glob(glob, key="exclude") for glob in exclude]

    def counts(name: str) -> bool:
        there = (folder / name).is_file()
        return there and not any(pattern.fullmatch(name) for pattern in patterns)

    if project is not None and project.poetry:
        raise no_lock(project.poetry, hint="Make one and commit it: poetry lock")
    if counts("Pipfile"):
        raise _error("there is a Pipfile", "Make one and commit it: pipenv lock")
    if counts("requirements.in"):
        raise _error("there is a requirements.in", "Make one and commit it: castoff lock")
    found = [name for name in _requirements(folder) if counts(name)]
    if found:
        raise _error(
            f"there is {' and '.join(found[:_MOST_NAMED])}",
            f'If that is one, say so under [apps.NAME.build]: lock = "{found[-1]}". If nothing of '
            "it belongs into the release, name it in `exclude` there.",
        )
    if project is None and counts("setup.py"):
        raise _error(
            "there is a setup.py",
            "Write what the release needs to requirements.in, a line for each, then: castoff lock. "
            "If it needs nothing, commit an empty requirements.txt.",
        )


def _error(what: str, hint: str) -> SourceError:
    return SourceError(
        f"{what} and the commit has no lock, so nobody knows what will be installed", hint=hint
    )


def _requirements(folder: Path) -> Iterator[str]:
    """Yield files that may be a lock by another name than the known one."""
    for pattern in ("requirements*.txt", "*requirements.txt", "requirements/*.txt"):
        for path in sorted(folder.glob(pattern)):
            if not _OWN_USE.search(path.stem):
                yield path.relative_to(folder).as_posix()
