"""What a project says of itself: its name, what it depends on, and its lock file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from castoff.config.errors import ConfigError
from castoff.config.locks import LOCKS
from castoff.config.toml import read_toml

_REQUIREMENTS = ("requirements.txt", "requirements.in")
# PEP 508: a requirement starts with the distribution's name.
_DISTRIBUTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Declared:
    """What stands in pyproject.toml and in files of requirements.

    Attributes:
        name: The project's name, or empty.
        dependencies: Names of direct dependencies, normalised as in PEP 503.
        scripts: Names of the console scripts that the project itself declares.
        wheel: Whether a pyproject.toml says how to build a wheel.
        pyproject: Whether there is a pyproject.toml with a [project] table.
        lock: The lock file that Castoff would take, or None.
        hashed: Whether that lock file has hashes, as a build demands.
    """

    name: str
    dependencies: frozenset[str]
    scripts: tuple[str, ...]
    wheel: bool
    pyproject: bool
    lock: str | None
    hashed: bool


def read_declared(folder: Path) -> Declared:
    """Read what a project declares; nothing at all is fine.

    Raises:
        ConfigError: A pyproject.toml or a file of requirements cannot be read.
    """
    file = folder / "pyproject.toml"
    document: Mapping[str, Any] = read_toml(file)[1] if file.is_file() else {}
    project = _table(document, "project")
    poetry = _table(_table(document, "tool"), "poetry")
    requirements = {name: _read(folder / name) for name in _REQUIREMENTS}
    written = [*_texts(project.get("dependencies")), *_table(poetry, "dependencies")]
    written += [line for text in requirements.values() for line in text.splitlines()]
    lock = next((name for name in LOCKS if (folder / name).is_file()), None)
    return Declared(
        name=str(project.get("name") or poetry.get("name") or ""),
        dependencies=frozenset(_distributions(written)),
        scripts=tuple(_table(project, "scripts")),
        wheel="build-system" in document,
        pyproject=bool(project),
        lock=lock,
        hashed=lock != "requirements.txt" or "--hash=" in requirements["requirements.txt"],
    )


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _read(path: Path) -> str:
    if not path.is_file():
        return ""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as text: {error}") from error


def _distributions(requirements: Iterable[str]) -> Iterator[str]:
    for line in requirements:
        if match := _DISTRIBUTION.match(line.strip()):
            yield re.sub(r"[-_.]+", "-", match[0]).lower()
