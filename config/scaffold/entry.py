"""Which object of which module a web server would serve, guessed from the source."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Interface = Literal["wsgi", "asgi"]

FRAMEWORKS: dict[str, Interface] = {
    "Flask": "wsgi",
    "FastAPI": "asgi",
    "Starlette": "asgi",
    "Litestar": "asgi",
    "Quart": "asgi",
}
_FACTORIES = ("create_app", "make_app")
_DEEPEST = 3
_MOST_FILES = 500
_SKIPPED = frozenset({"build", "dist", "node_modules", "site-packages", "test", "tests", "venv"})


@dataclass(frozen=True, slots=True)
class Entry:
    """What a web server is told to serve.

    Attributes:
        framework: The class that was called, `Flask`.
        module: Module that holds the object, `shop.web`.
        name: The object's name in it.
        factory: Whether the object must be called to get the application.
    """

    framework: str
    module: str
    name: str
    factory: bool


def find_entry(folder: Path) -> Entry | None:
    """Return the first application that a module makes, the shallowest module first.

    Files that are not valid Python are passed over, for the project may hold templates of some.
    """
    for path in modules(folder):
        try:
            tree = ast.parse(path.read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue
        if entry := _entry(tree, _module_name(path.relative_to(folder))):
            return entry
    return None


def find_module(folder: Path, name: str) -> str | None:
    """Return the dotted name of the shallowest module whose file is called `name`.py."""
    for path in modules(folder):
        if path.stem == name:
            return _module_name(path.relative_to(folder))
    return None


def modules(folder: Path) -> list[Path]:
    """Return the files of Python of a project, the shallowest first."""
    paths = sorted(_walk(folder), key=lambda path: (len(path.parts), path.as_posix()))
    return paths[:_MOST_FILES]


def _walk(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        depth = len(Path(here).relative_to(folder).parts)
        folders[:] = [
            name
            for name in folders
            if depth < _DEEPEST and name not in _SKIPPED and not name.startswith(".")
        ]
        yield from (Path(here, name) for name in files if name.endswith(".py"))


def _module_name(path: Path) -> str:
    parts = list(path.with_suffix("").parts)
    if parts[0] == "src" and len(parts) > 1:
        del parts[0]
    if parts[-1] == "__init__" and len(parts) > 1:
        del parts[-1]
    return ".".join(parts)


def _entry(tree: ast.Module, module: str) -> Entry | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            framework = _framework(node.value)
            if framework:
                return Entry(framework, module, node.targets[0].id, factory=False)
        if isinstance(node, ast.FunctionDef) and node.name in _FACTORIES:
            framework = next(filter(None, map(_framework, ast.walk(node))), "")
            if framework:
                return Entry(framework, module, node.name, factory=True)
    return None


def _framework(node: ast.AST | None) -> str:
    """Return the framework whose class a call calls, or an empty string."""
    if not isinstance(node, ast.Call):
        return ""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    name = node.func.id if isinstance(node.func, ast.Name) else name
    return name if name in FRAMEWORKS else ""
