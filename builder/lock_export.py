"""Bring the locks of tools into the form of a requirements file, by those tools themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from castoff.builder.errors import BuildError, SourceError, StaleLock
from castoff.builder.installer_errors import explain
from castoff.builder.interpreter import Interpreter, uv
from castoff.builder.process import run
from castoff.config.toml import NotToml, parse

# Pinned, so that a lock is read tomorrow as it is today; recorded in the manifest.
TOOLS = {"poetry.lock": "poetry==2.1.3", "Pipfile.lock": "pipenv==2026.10.3"}
_POETRY_EXPORT = "poetry-plugin-export==1.9.0"

_UV_STALE = "needs to be updated"
_POETRY_STALE = "pyproject.toml changed significantly since poetry.lock was last generated"
# What pipenv calls the default index, where a Pipfile names no other.
_DEFAULT_SOURCE = "pypi"
_INDEX_LINE = re.compile(r"^(?:-i|--index-url)[ =](?P<url>\S+)\s*$", re.MULTILINE)
_BARE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# https://pipenv.pypa.io/en/latest/specifiers.html
_MARKER_KEYS = (
    "os_name",
    "sys_platform",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "python_version",
    "python_full_version",
    "implementation_name",
    "implementation_version",
)


def export(path: Path, *, folder: Path, interpreter: Interpreter, env: Mapping[str, str]) -> str:
    """Return a `uv.lock`, `poetry.lock` or `Pipfile.lock` as requirements with hashes.

    Groups (the default ones too) and extras are left out.

    Args:
        path: The lock, with the tool's own file beside it.
        folder: The app's folder; that of the lock but for a workspace's member.
        interpreter: What the tools run on.
        env: The tools' environment.

    Raises:
        StaleLock: It does not fit the project any more.
        SourceError: The tool's own file is not there.
        BuildError: The tool cannot be had, or cannot read it.
    """
    if path.name == "uv.lock":
        return _uv(path, folder, interpreter, env)
    if path.name == "poetry.lock":
        return _poetry(path, interpreter, env)
    return _pipenv(path, interpreter, env)


def _uv(path: Path, folder: Path, interpreter: Interpreter, env: Mapping[str, str]) -> str:
    argv: list[str | Path] = [
        uv(), "export", "--quiet", "--locked", "--no-default-groups", "--no-emit-project",
        "--no-header", "--no-annotate", "--format", "requirements-txt",
        "--python", interpreter.path,
    ]  # fmt: skip
    hint = "`castoff lock` (or `uv lock`) writes it anew; commit the result."
    env = _as_it_was_locked(path, env)
    task = f"read {path.name}"
    try:
        return run(argv, cwd=folder, env=env, task=task, hint=hint).decode()
    except BuildError as error:
        # The caller's own settings may forbid all indexes, by which no lock would do.
        project = {k: v for k, v in env.items() if k not in ("UV_CONFIG_FILE", "XDG_CONFIG_HOME")}
        if project != env:
            with suppress(BuildError):
                return run(argv, cwd=folder, env=project, task=task, hint=hint).decode()
        if _UV_STALE in error.output:
            raise _stale(path, "castoff lock") from error
        # Only where it is out of date does uv look for something that would fit.
        raise explain(error, "pyproject.toml", None) from error


def _as_it_was_locked(path: Path, env: Mapping[str, str]) -> Mapping[str, str]:
    """Return an environment in which the project alone makes its `uv.lock` be out of date.

    uv takes a lock for outdated too where an index that it names is not among the caller's, or
    where it was made without the caller's bound in time. Neither says that the project changed:
    who builds may reach the same files by a mirror. Nothing is asked of an index unless the lock
    is out of date.

    Raises:
        SourceError: It is not TOML, or not a lock.
    """
    try:
        values: Any = parse(path.read_text(encoding="utf-8"))
        sources = [package["source"].get("registry", "") for package in values.get("package", [])]
        named = sorted({str(name) for name in sources if "://" in str(name)})
        timed = "exclude-newer" in values.get("options", {})
    except (NotToml, UnicodeDecodeError) as error:
        raise SourceError(f"{path.name}: {error}") from error
    except (AttributeError, KeyError, TypeError) as error:
        raise SourceError(f"{path.name}: not a lock of uv: {error!r}") from error
    kept = {name: value for name, value in env.items() if timed or name != "UV_EXCLUDE_NEWER"}
    return {**kept, "UV_INDEX": " ".join([*env.get("UV_INDEX", "").split(), *named])}


def _poetry(path: Path, interpreter: Interpreter, env: Mapping[str, str]) -> str:
    _need(path, "pyproject.toml")
    tool = [*_tool(path, interpreter, "--with", _POETRY_EXPORT), "poetry", "--no-interaction"]
    argv = [*tool, "export", "--format", "requirements.txt", "--only", "main"]
    try:
        return _run(argv, path, env).decode()
    except BuildError as error:
        # It is wrapped to the width of a terminal that is none.
        if _POETRY_STALE in " ".join(error.output.split()):
            raise _stale(path, "poetry lock") from error
        raise


def _pipenv(path: Path, interpreter: Interpreter, env: Mapping[str, str]) -> str:
    _need(path, "Pipfile")
    tool = [*_tool(path, interpreter), "pipenv"]
    # Not to look for virtual environments, nor to make one.
    quiet = {**env, "PIPENV_VERBOSITY": "-1", "PIPENV_IGNORE_VIRTUALENVS": "1", "CI": "1"}
    try:
        _run([*tool, "verify"], path, quiet)
    except BuildError as error:
        if "out-of-date" in error.output:
            raise _stale(path, "pipenv lock") from error
        raise
    text = _run([*tool, "requirements", "--hash"], path, quiet).decode()
    # It always says which index is the default; a mirror that is configured must not lose to it.
    default = _default_index(path)
    text = _INDEX_LINE.sub(lambda line: "" if line["url"] == default else line[0], text)
    markers = _lost_markers(path.parent / "Pipfile")
    return "".join(f"{_with_marker(line, markers)}\n" for line in text.splitlines())


def _lost_markers(pipfile: Path) -> dict[str, str]:
    """Return the markers that a Pipfile spells as keys, by the normalised name of their package.

    Of `{version = "*", sys_platform = "== 'win32'"}` no marker is in the lock where the package
    does not apply, as there is no version of it and no digest.

    Raises:
        SourceError: It is not TOML.
    """
    try:
        packages = parse(pipfile.read_text(encoding="utf-8")).get("packages", {})
    except (NotToml, UnicodeDecodeError) as error:
        raise SourceError(f"{pipfile.name}: {error}") from error
    return {
        canonicalize_name(name): " and ".join(f"{key} {entry[key]}" for key in keys)
        for name, entry in packages.items()
        if isinstance(entry, dict) and (keys := [key for key in _MARKER_KEYS if key in entry])
    }


def _with_marker(line: str, markers: Mapping[str, str]) -> str:
    """Return a line that has neither version nor digest nor marker with its package's marker."""
    name = line.strip().partition("[")[0]
    if not _BARE_NAME.fullmatch(name):
        return line
    marker = markers.get(canonicalize_name(name))
    return line if marker is None else f"{line}; {marker}"


def _default_index(path: Path) -> str | None:
    """Return the URL of the index that a Pipfile.lock has because no other was named."""
    try:
        sources = json.loads(path.read_bytes())["_meta"]["sources"]
        return next((str(one["url"]) for one in sources if one["name"] == _DEFAULT_SOURCE), None)
    except (ValueError, KeyError, TypeError):
        return None


def _tool(path: Path, interpreter: Interpreter, *more: str) -> list[str | Path]:
    start: list[str | Path] = [uv(), "tool", "run", "--quiet"]
    return [*start, "--python", interpreter.path, *more, "--from", TOOLS[path.name]]


def _run(argv: list[str | Path], path: Path, env: Mapping[str, str]) -> bytes:
    hint = f"It is read by {TOOLS[path.name]}, which uv fetches when it is first needed."
    return run(argv, cwd=path.parent, env=env, task=f"read {path.name}", hint=hint)


def _need(path: Path, name: str) -> None:
    if not (path.parent / name).is_file():
        raise SourceError(f"{path.name}: there is no {name} beside it", hint=f"Commit {name} too.")


def _stale(path: Path, command: str) -> StaleLock:
    return StaleLock(
        f"{path.name} is out of date: the project was changed since it was made",
        hint=f"`{command}` writes it anew; commit the result.",
    )
