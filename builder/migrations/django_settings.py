"""Which apps Django's settings install, as far as that is written out in their source."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from castoff.builder.migrations.literals import argument, assigned, last_name, text
from castoff.builder.migrations.source import Sources

# Where projects say which module their settings are in, and how.
_SAYS = ("manage.py", "wsgi.py", "asgi.py")
_VARIABLE = "DJANGO_SETTINGS_MODULE"
_MODULE = re.compile(r"[\w.]+")


@dataclass(frozen=True, slots=True)
class Installed:
    """What settings install.

    Attributes:
        apps: Entries of INSTALLED_APPS, of all settings modules that were found.
        folders: Entries of MIGRATION_MODULES: a module by label, or None for no migrations.
    """

    apps: tuple[str, ...]
    folders: dict[str, str | None]


def settings_modules(sources: Sources, own: Collection[str]) -> tuple[str, ...]:
    """Return the settings modules that the project's own start files name.

    Args:
        sources: The tree.
        own: Paths of the project's files.
    """
    found: dict[str, None] = {}
    for path in own:
        if posixpath.basename(path) in _SAYS:
            module = sources.parse(path)
            found |= dict.fromkeys(() if module is None else _named(module))
    return tuple(found)


def installed(sources: Sources, modules: Collection[str]) -> Installed | None:
    """Return the apps that settings modules install, or None if that is not all written out."""
    apps: dict[str, None] = {}
    folders: dict[str, str | None] = {}
    for name in modules:
        values = _Reader(sources).module(name)
        entries = values.get("INSTALLED_APPS")
        if entries is None or not entries.whole:
            return None
        apps |= dict.fromkeys(entries.texts)
        where = values.get("MIGRATION_MODULES")
        if where is not None:
            if not where.whole:
                return None
            folders |= where.pairs
    return Installed(tuple(apps), folders) if apps else None


def _named(module: ast.Module) -> Iterator[str]:
    """Yield what `os.environ.setdefault("DJANGO_SETTINGS_MODULE", …)` and its like say."""
    for node in ast.walk(module):
        value: ast.expr | None = None
        if isinstance(node, ast.Call) and last_name(node.func) in ("setdefault", "putenv"):
            if text(argument(node, 0, "key")) == _VARIABLE:
                value = argument(node, 1, "default")
        elif isinstance(node, ast.Assign):
            target = node.targets[0]
            if isinstance(target, ast.Subscript) and text(target.slice) == _VARIABLE:
                value = node.value
        named = text(value)
        if named is not None and _MODULE.fullmatch(named):
            yield named


@dataclass(slots=True)
class _Value:
    texts: tuple[str, ...] = ()
    pairs: dict[str, str | None] = field(default_factory=dict)
    whole: bool = True

    def joined(self, other: _Value) -> _Value:
        return _Value(
            tuple(dict.fromkeys((*self.texts, *other.texts))),
            {**self.pairs, **other.pairs},
            self.whole and other.whole,
        )


_UNKNOWN = _Value(whole=False)


class _Reader:
    """Follows lists of texts through the statements of settings; all branches count."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._seen: dict[str, dict[str, _Value]] = {}

    def module(self, name: str) -> dict[str, _Value]:
        if name not in self._seen:
            values = self._seen[name] = {}
            path = self._sources.module(name)
            parsed = None if path is None else self._sources.parse(path)
            if parsed is not None and path is not None:
                package = name if path.endswith("/__init__.py") else name.rpartition(".")[0]
                self._run(parsed.body, values, package, branch=False)
        return self._seen[name]

    def _run(
        self, body: list[ast.stmt], values: dict[str, _Value], package: str, *, branch: bool
    ) -> None:
        for statement in body:
            if isinstance(statement, ast.ImportFrom):
                self._import(statement, values, package)
            elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
                for name, node in assigned([statement]).items():
                    value = self._value(node, values)
                    kept = values.get(name) if branch else None
                    values[name] = value if kept is None else kept.joined(value)
            elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
                name = statement.target.id
                added = self._value(statement.value, values)
                values[name] = values.get(name, _UNKNOWN).joined(added)
            elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                self._call(statement.value, values)
            else:
                for inner in ("body", "orelse", "finalbody"):
                    if not isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
                        self._run(getattr(statement, inner, []), values, package, branch=True)
                for handler in getattr(statement, "handlers", []):
                    self._run(handler.body, values, package, branch=True)

    def _import(self, node: ast.ImportFrom, values: dict[str, _Value], package: str) -> None:
        parts = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        name = ".".join([*parts, *([node.module] if node.module else [])])
        found = self.module(name) if name else {}
        for alias in node.names:
            if alias.name == "*":
                values.update(found)
            elif alias.name in found:
                values[alias.asname or alias.name] = found[alias.name]

    def _call(self, node: ast.Call, values: dict[str, _Value]) -> None:
        """Take what `NAME.append(…)` and its like do to a list."""
        where = node.func
        if not isinstance(where, ast.Attribute) or not isinstance(where.value, ast.Name):
            return
        name = where.value.id
        if name not in values or where.attr in ("remove", "sort", "reverse"):
            return
        if where.attr in ("append", "insert") and node.args:
            one = text(node.args[-1])
            added = _UNKNOWN if one is None else _Value((one,))
        elif where.attr == "extend" and node.args:
            added = self._value(node.args[0], values)
        else:
            added = _UNKNOWN
        values[name] = values[name].joined(added)

    def _value(  # noqa: PLR0911 - one for each form
        self, node: ast.expr, values: dict[str, _Value]
    ) -> _Value:
        if isinstance(node, ast.Name):
            return values.get(node.id, _UNKNOWN)
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return self._list(node, values)
        if isinstance(node, ast.Dict):
            return _table(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.BitOr)):
            return self._value(node.left, values).joined(self._value(node.right, values))
        if isinstance(node, ast.IfExp):
            return self._value(node.body, values).joined(self._value(node.orelse, values))
        if isinstance(node, ast.Call) and last_name(node.func) in ("list", "tuple"):
            inner = argument(node, 0, "")
            return _UNKNOWN if inner is None else self._value(inner, values)
        return _UNKNOWN

    def _list(self, node: ast.List | ast.Tuple | ast.Set, values: dict[str, _Value]) -> _Value:
        whole = _Value()
        for each in node.elts:
            if isinstance(each, ast.Starred):
                whole = whole.joined(self._value(each.value, values))
            else:
                one = text(each)
                whole = whole.joined(_UNKNOWN if one is None else _Value((one,)))
        return whole


def _table(node: ast.Dict) -> _Value:
    found: dict[str, str | None] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        name, where = text(key), text(value)
        none = isinstance(value, ast.Constant) and value.value is None
        if name is None or (where is None and not none):
            return _UNKNOWN
        found[name] = where
    return _Value(pairs=found)
