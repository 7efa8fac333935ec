"""What a project says of itself in pyproject.toml, as far as a build must know."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from castoff.builder.errors import SourceError
from castoff.config.toml import NotToml, parse


@dataclass(frozen=True, slots=True)
class Project:
    """A pyproject.toml, or the lack of one.

    Attributes:
        name: The distribution's name; empty without `[project]`.
        requires_python: Its constraint on Python; may be empty.
        dependencies: What it asks for, as written.
        builds: Whether it has `[build-system]`, and so makes a wheel.
        scripts: Its own console and GUI scripts by name; None where only its back end knows them.
        poetry: Names of what it asks for in Poetry's own table.
    """

    name: str
    requires_python: str
    dependencies: tuple[str, ...]
    builds: bool
    scripts: tuple[str, ...] | None
    poetry: tuple[str, ...]


def read_project(folder: Path) -> Project | None:
    """Read the folder's pyproject.toml; None if it has none.

    Raises:
        SourceError: It is not TOML, or a table is something else.
    """
    path = folder / "pyproject.toml"
    try:
        values = parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (NotToml, UnicodeDecodeError) as error:
        raise SourceError(f"pyproject.toml: {error}") from error
    table: Any = values.get("project", {})
    try:
        poetry: Any = values.get("tool", {}).get("poetry", {})
        return Project(
            name=str(table.get("name", "")),
            requires_python=str(table.get("requires-python", "")),
            dependencies=tuple(str(text) for text in table.get("dependencies", [])),
            builds="build-system" in values,
            scripts=_scripts(values),
            poetry=tuple(one for one in poetry.get("dependencies", {}) if one != "python"),
        )
    except (AttributeError, TypeError) as error:
        raise SourceError(
            "pyproject.toml: [project] is not as it should be",
            hint="https://packaging.python.org/en/latest/specifications/pyproject-toml/",
        ) from error


def _scripts(values: dict[str, Any]) -> tuple[str, ...] | None:
    """Return what `[project]` says of scripts, by which back ends must abide (PEP 621)."""
    table: Any = values.get("project")
    if table is None or {"scripts", "gui-scripts"} & set(table.get("dynamic", [])):
        return None
    return (*table.get("scripts", {}), *table.get("gui-scripts", {}))
