"""Look at a project and write its first castoff.toml."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path

from castoff.config.errors import ConfigError
from castoff.config.find import FILE_NAME
from castoff.config.scaffold.detect import Kind, app_name, detect
from castoff.config.scaffold.notes import notes_for
from castoff.config.scaffold.render import render
from castoff.store.errors import UsageError


@dataclass(frozen=True, slots=True)
class Scaffolded:
    """What was written.

    Attributes:
        path: The file.
        kind: The kind of project that was found.
        notes: What is left to do by hand, one sentence or two each.
    """

    path: Path
    kind: Kind
    notes: tuple[str, ...]


def scaffold(directory: Path, *, force: bool = False, name: str | None = None) -> Scaffolded:
    """Write a castoff.toml that fits what stands in a folder.

    Args:
        directory: Folder of the project.
        force: Whether a castoff.toml that is there is replaced.
        name: Name of the app; None for the project's own, or else the folder's.

    Raises:
        UsageError: The folder is missing, has a castoff.toml already, or the name will not do.
        ConfigError: A file of the project cannot be read, or the new one cannot be written.
    """
    if not directory.is_dir():
        raise UsageError(f"{directory}: there is no such folder")
    path = directory / FILE_NAME
    if not force and os.path.lexists(path):
        raise UsageError(f"{path} is there already", hint="To replace it: castoff init --force")
    project = detect(directory)
    if name is not None:
        project = dataclasses.replace(project, name=_checked(name))
    _write(path, render(project), replace=force)
    return Scaffolded(path=path, kind=project.kind, notes=notes_for(project))


def _checked(name: str) -> str:
    if app_name(name) != name:
        raise UsageError(
            f"not a name for an app: {name!r}",
            hint=f"Small letters, digits and '-'; for instance {app_name(name)!r}.",
        )
    return name


def _write(path: Path, text: str, *, replace: bool) -> None:
    try:
        # "x" so that a file which somebody writes at this moment is not lost.
        with path.open("w" if replace else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error
