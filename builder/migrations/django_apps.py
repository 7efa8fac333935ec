"""Where the migrations of Django's apps lie in a tree, and the apps' labels."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from castoff.builder.migrations.django_settings import Installed
from castoff.builder.migrations.literals import assigned, is_true, last_name, text
from castoff.builder.migrations.source import Sources

_FOLDER = "migrations"
# Below these lie apps that only tests of a dependency install.
_TESTS = frozenset({"test", "tests", "testing", "test_project", "example", "examples"})


def folders(sources: Sources, installed: Installed | None) -> dict[str, str]:
    """Return the folder of each app's migrations by the app's label.

    Where settings do not say which apps are installed, all count that are in the tree.
    """
    if installed is None:
        return dict(_all(sources))
    found: dict[str, str] = {}
    for entry in installed.apps:
        name, label = _app(sources, entry)
        where = installed.folders.get(label, f"{name}.{_FOLDER}")
        folder = None if where is None else sources.package_anywhere(where)
        if folder is not None:
            found[label] = folder
    return found


def _all(sources: Sources) -> Iterator[tuple[str, str]]:
    for folder in sorted({path.rpartition("/")[0] for path in sources.paths}):
        package, _, last = folder.rpartition("/")
        parts = package.split("/")
        if last == _FOLDER and len(parts) > 1 and not _TESTS & set(parts):
            name = ".".join(parts[1:])
            yield _configured(sources, f"{package}/apps.py", name)[1], folder


def _app(sources: Sources, entry: str) -> tuple[str, str]:
    """Return name and label of the app of an entry: a package, or a class that configures one.

    See https://docs.djangoproject.com/en/stable/ref/applications/#configuring-applications
    """
    if (folder := sources.package_anywhere(entry)) is not None:
        return _configured(sources, f"{folder}/apps.py", entry)
    module, _, cls = entry.rpartition(".")
    package, _, last = module.rpartition(".")
    path = sources.module(module)
    if path is None and package and (folder := sources.package_anywhere(package)) is not None:
        path = f"{folder}/{last}.py"
    return _configured(sources, path, module.removesuffix(".apps"), cls)


def _configured(sources: Sources, path: str | None, name: str, cls: str = "") -> tuple[str, str]:
    """Return name and label as a module's configuration says them, else as they are without."""
    module = None if path is None else sources.parse(path)
    classes = [] if module is None else [c for c in module.body if isinstance(c, ast.ClassDef)]
    configurations = [c for c in classes if any("Config" in last_name(base) for base in c.bases)]
    if cls:
        chosen = [c for c in classes if c.name == cls]
    elif len(configurations) > 1:
        chosen = [c for c in configurations if is_true(assigned(c.body).get("default"))]
    else:
        chosen = configurations
    if len(chosen) == 1:
        says = assigned(chosen[0].body)
        name = text(says.get("name")) or name
        label = text(says.get("label"))
        if label is not None:
            return name, label
    return name, name.rpartition(".")[2]
