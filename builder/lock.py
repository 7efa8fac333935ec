"""Find the project's lock and bring it into the one form that is installed from."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from castoff.builder.destination import Destination
from castoff.builder.errors import SourceError
from castoff.builder.installer_settings import installer_settings
from castoff.builder.lock_export import TOOLS, export
from castoff.builder.no_lock import check_none_needed
from castoff.builder.project import Project
from castoff.builder.requirements import applying, located, read_requirements, requirements_text
from castoff.config.locks import LOCKS
from castoff.store.digest import sha256, sha256_file

_EXPORTED = ("uv.lock", *TOOLS)


@dataclass(frozen=True, slots=True)
class Lock:
    """Everything that is installed, pinned to digests.

    Attributes:
        source: The file it was read from, relative to the app's folder.
        file: A file that `uv pip install` takes: requirements, or a lock as PEP 751 has it.
        digest: SHA-256 of what it says, wherever the build's own folder lies.
        complete: Whether it names every distribution, so that none need be resolved.
        local: Folders of other projects in the repository that are installed too.
        settings: Digest of what installers are told beside it; empty where that is nothing.
    """

    source: str
    file: Path
    digest: str
    complete: bool
    local: tuple[Path, ...]
    settings: str

    @property
    def pylock(self) -> bool:
        """Whether `file` is a `pylock.toml`."""
        return self.file.name.startswith("pylock")


def find_lock(
    folder: Path,
    *,
    top: Path,
    configured: str | None,
    project: Project | None,
    exclude: Sequence[str] = (),
) -> Path | None:
    """Return the lock that counts: the configured one, else the first known one there is.

    A member of a uv workspace has its lock in a folder above, which is looked for up to `top`.

    Raises:
        SourceError: The configured one is not in the commit, or there is none although something
            that is not in `exclude` asks for dependencies.
    """
    if configured is not None:
        path = folder / configured
        if not path.is_file():
            raise SourceError(
                f"{configured}: the lock that castoff.toml names is not in the commit",
                hint=f"Commit it: git add {configured}",
            )
        return path
    for name in LOCKS:
        if (folder / name).is_file():
            return folder / name
    if project is not None:
        above = folder
        while above != top:
            above = above.parent
            if (above / "uv.lock").is_file():
                return above / "uv.lock"
    check_none_needed(folder, project, exclude=exclude)
    return None


def normalise(
    path: Path,
    *,
    folder: Path,
    top: Path,
    work: Path,
    destination: Destination,
    env: Mapping[str, str],
) -> Lock:
    """Bring a lock into a form with a digest for everything.

    Args:
        path: What `find_lock` found.
        folder: The app's folder.
        top: The exported repository's top, which local dependencies must not leave.
        work: The build's own folder.
        destination: What markers are evaluated for.
        env: The tools' environment.

    Raises:
        SourceError: Something in it has no digest, or it does not fit the project any more.
        BuildError: The tool that made it cannot read it.
    """
    # A workspace's lock lies above the app's folder.
    source = os.path.relpath(path, folder)
    settings = installer_settings(folder, top=top, env=env)
    if path.name.startswith("pylock"):
        # PEP 751 wants a digest of each file, and uv checks them.
        digest = sha256_file(path)
        return Lock(source, path, digest, complete=True, local=(), settings=settings)
    complete = path.name in _EXPORTED
    if complete:
        text = export(path, folder=folder, interpreter=destination.runner, env=env)
        # Pipenv gives no version, and so no digest, to what does not apply where it was locked.
        text = applying(text, destination.interpreter.markers, name=source)
    else:
        text = requirements_text(path, name=source)
    requirements = read_requirements(text, name=source)
    find = partial(_inside, top, path.parent, source)
    file = work / "requirements.txt"
    file.write_text(located(requirements.pinned, find), encoding="utf-8")
    digest = sha256(requirements.pinned.encode())
    local = tuple(find(name) for name in requirements.local)
    return Lock(source, file, digest, complete=complete, local=local, settings=settings)


def _inside(top: Path, start: Path, source: str, name: str) -> Path:
    """Return a folder that a lock names relative to itself, if it is in the commit."""
    folder = (start / name).resolve()
    if not (folder.is_relative_to(top.resolve()) and folder.is_dir()):
        raise SourceError(f"{source}: depends on a folder that is not in the commit: {name}")
    return folder
