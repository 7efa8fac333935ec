"""Make the lock of dependencies, or say whether it still fits: by uv, in the form that it has."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from castoff.builder.destination import Destination, find_destination
from castoff.builder.environment import tool_environment
from castoff.builder.errors import BuildError, SourceError, StaleLock
from castoff.builder.installer_errors import explain
from castoff.builder.interpreter import uv
from castoff.builder.process import run
from castoff.builder.project import read_project
from castoff.builder.requirements import requirements_text
from castoff.builder.source_builds import source_build_environment
from castoff.config.app_tables import Build
from castoff.store.durable import new_file

_OWN = "castoff lock"
# Locks that are not made here, and what makes them.
_OTHERS = {
    "pylock.toml": "uv export --format pylock.toml, or pip lock; whichever made it",
    "poetry.lock": "poetry lock",
    "Pipfile.lock": "pipenv lock",
}


@dataclass(frozen=True, slots=True)
class Made:
    """A lock that fits the project.

    Attributes:
        path: Where it lies.
        changed: Whether it was written anew.
    """

    path: Path
    changed: bool


@dataclass(frozen=True, slots=True)
class _Task:
    """What runs of uv have in common: where, for which Python, and in which environment."""

    folder: Path
    destination: Destination
    env: Mapping[str, str]

    def run(self, *words: str | Path, task: str, source: str) -> None:
        try:
            run([uv(), *words], cwd=self.folder, env=self.env, task=task)
        except BuildError as error:
            raise explain(error, source, None) from error


def make_lock(
    folder: Path,
    recipe: Build,
    *,
    environment: Mapping[str, str],
    cache: Path | None = None,
    upgrade: bool = False,
    check: bool = False,
) -> Made:
    """Make or renew the lock of the project in a folder; what need not change stays as it is.

    A project with a `[project]` table gets a `uv.lock`; one with a `requirements.in`, or that has a
    requirements file as its lock already, a requirements file with hashes, for every platform.

    Args:
        folder: The app's folder, in the working tree.
        recipe: What castoff.toml says of the build; its `lock` may name the file.
        environment: The caller's, of which uv gets what says how to reach indexes.
        cache: Castoff's folder for what builds may find again, where uv keeps what it fetches.
        upgrade: Whether newer versions are taken where the project allows them.
        check: Write nothing, and see whether the lock is what would be written.

    Raises:
        StaleLock: `check`, and the lock is missing or would be another.
        SourceError: Nothing says what the project depends on, or another tool makes its lock.
        BuildError: uv finds no solution, or an index does not answer.
    """
    with tempfile.TemporaryDirectory(prefix="castoff-lock-") as name:
        work = Path(name)
        env = tool_environment(environment, work=work, time=0, cache=cache)
        env = source_build_environment(env)
        destination = find_destination(recipe.target, recipe.python, cwd=folder, env=env)
        task = _Task(folder, destination, env)
        found = _requirements(folder, recipe.lock)
        if found is None:
            return _lock_project(task, upgrade=upgrade, check=check)
        return _compile(task, *found, work, upgrade=upgrade, check=check)


def _requirements(folder: Path, configured: str | None) -> tuple[Path, Path] | None:
    """Return the file that says what is needed and the requirements file to write, if it is that.

    Raises:
        SourceError: There is neither, or another tool makes the lock.
    """
    name = configured or "requirements.txt"
    _refuse_others(folder, configured)
    lock = folder / name
    written = (lock.with_suffix(".in"), folder / "requirements.in")
    source = next((path for path in written if path.is_file()), None)
    if name.endswith(".txt") and not (configured is None and (folder / "uv.lock").is_file()):
        if source is not None:
            return source, lock
        if lock.is_file() and (folder / "pyproject.toml").is_file():
            return folder / "pyproject.toml", lock
    project = read_project(folder)
    if project is not None and project.poetry and not project.dependencies:
        raise _of_another_tool("pyproject.toml", "says what it needs as Poetry does", "poetry lock")
    if (project is None or not project.name) and (folder / "Pipfile").is_file():
        raise _of_another_tool("Pipfile", "is Pipenv's", "pipenv lock")
    if project is None or not project.name:
        if lock.is_file():
            asked = lock.with_suffix(".in").name
            raise SourceError(
                f"{name} is what `castoff lock` writes, and there is no {asked} that says what "
                "the app asks for",
                hint=f"If it is a list of your own: git mv {name} {asked}, then: castoff lock",
            )
        raise SourceError(
            "nothing here says what the app depends on: there is neither a requirements.in nor a "
            "pyproject.toml with [project]",
            hint="Write what you need to requirements.in, a line for each, then: castoff lock",
        )
    return None


def _refuse_others(folder: Path, configured: str | None) -> None:
    """Leave the locks of other tools to them.

    Raises:
        SourceError: The project has such a lock.
    """
    for name, command in _OTHERS.items():
        # A uv.lock counts before them.
        first = configured is None and not (folder / "uv.lock").is_file()
        if configured == name or (first and (folder / name).is_file()):
            raise SourceError(
                f"{name} is made by another tool, and builds read it as it is",
                hint=f"Renew it with: {command}",
            )
    if configured is not None and not configured.endswith((".txt", "uv.lock")):
        raise SourceError(
            f"{configured}: castoff.toml names a lock of a kind that is not made here",
            hint="Renew it with the tool that made it.",
        )


def _of_another_tool(name: str, what: str, command: str) -> SourceError:
    return SourceError(
        f"{name} {what}, and builds read the lock that it makes",
        hint=f"Make it and commit it: {command}",
    )


def _lock_project(task: _Task, *, upgrade: bool, check: bool) -> Made:
    path = _nearest(task.folder)
    before = path.read_bytes() if path.is_file() else b""
    if check:
        if not before:
            raise _stale("there is no uv.lock")
        try:
            task.run("lock", "--quiet", "--check", task="check uv.lock", source="pyproject.toml")
        except BuildError as error:
            if "needs to be updated" in error.output:
                raise _stale("uv.lock is out of date: the project was changed since") from error
            raise
        return Made(path, changed=False)
    words = ["--upgrade"] if upgrade else []
    task.run("lock", "--quiet", *words, task="make uv.lock", source="pyproject.toml")
    path = _nearest(task.folder)
    return Made(path, changed=path.read_bytes() != before)


def _nearest(folder: Path) -> Path:
    """Return the uv.lock of the folder, or of the workspace that it is a member of."""
    above = (path / "uv.lock" for path in (folder, *folder.parents))
    return next((path for path in above if path.is_file()), folder / "uv.lock")


def _compile(
    task: _Task, source: Path, lock: Path, work: Path, *, upgrade: bool, check: bool
) -> Made:
    name = os.path.relpath(lock, task.folder)
    if check and not lock.is_file():
        raise _stale(f"there is no {name}")
    if lock.is_dir():
        raise SourceError(
            f"{name}: a folder is where the lock would be",
            hint="`lock` under [apps.NAME.build] in castoff.toml may name another file.",
        )
    before = requirements_text(lock, name=name) if lock.is_file() else None
    asks = os.path.relpath(source, task.folder)
    fresh = work / lock.name
    if before is not None:
        # uv keeps to the versions that the file which it writes has already.
        shutil.copyfile(lock, fresh)
    task.run(
        "pip", "compile", "--quiet", "--universal", "--generate-hashes",
        "--python-version", task.destination.interpreter.version,
        "--custom-compile-command", _OWN, "--output-file", fresh,
        *(["--upgrade"] if upgrade else []), asks,
        task=f"{'check' if check else 'make'} {name}", source=asks,
    )  # fmt: skip
    after = fresh.read_text(encoding="utf-8")
    if before is not None and _entries(before) == _entries(after):
        return Made(lock, changed=False)
    if check:
        raise _stale(f"{name} is out of date: {asks} was changed")
    _write(lock, after, name=name)
    return Made(lock, changed=True)


def _write(lock: Path, text: str, *, name: str) -> None:
    """Put a lock in the place of the one there is, all of it or nothing.

    Raises:
        SourceError: It cannot be written there.
    """
    # Where a link leads to, which would else be replaced itself.
    place = lock.resolve()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with new_file(place) as file:
            file.write(text.encode())
            file.replace()
    except OSError as error:
        raise SourceError(
            f"{name}: the lock cannot be written: {error.strerror}",
            hint="`lock` under [apps.NAME.build] in castoff.toml may name another file.",
        ) from error


def _entries(text: str) -> list[str]:
    """Return what counts: comments say only why."""
    return [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def _stale(message: str) -> StaleLock:
    return StaleLock(message, hint="`castoff lock` makes it anew; commit the result.")
