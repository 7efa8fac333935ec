"""From an artifact as a person names it to the artifact: a path, or a version here or there."""

from __future__ import annotations

import os
from pathlib import Path

from castoff.cli.project import Project, open_project
from castoff.store import names
from castoff.store.find import Found, found_here, found_in
from castoff.store.local_artifact import load_file, load_local
from castoff.store.version import check_version


def is_path(text: str) -> bool:
    """Whether it names a file and not a version, which holds no slash."""
    return os.sep in text or Path(text).is_file()


def find(text: str, config: Path | None, app: str | None, *, in_store: bool) -> Found:
    """Return what an argument names; castoff.toml is only read for a version.

    Raises:
        CastoffError: There is no such thing, or it is damaged.
    """
    if is_path(text):
        return found_here(load_file(Path(text)))
    version = check_version(text)
    project = open_project(config, app)
    if not in_store and _is_here(project, version):
        return found_here(load_local(project.artifacts, project.app, version))
    return found_in(project.store(), project.app, version)


def _is_here(project: Project, version: str) -> bool:
    return (project.artifacts / names.local_manifest(project.app, version)).is_file()
