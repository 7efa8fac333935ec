"""Alembic's revisions: where they lie, their graph, and what each does to code of before."""

from __future__ import annotations

import ast
import configparser
import posixpath
import re
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from castoff.builder.migrations import alembic_operations
from castoff.builder.migrations.graph import heads, in_order
from castoff.builder.migrations.literals import assigned, text, texts
from castoff.builder.migrations.marks import MARK, lives_with
from castoff.builder.migrations.source import Sources
from castoff.store.migrations import AppMigrations, MigrationNote

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_INI = "alembic.ini"
_PYPROJECT = "pyproject.toml"
_HERE = re.compile(r"%\(here\)s/?")
# Alembic's own default, and what splits folders of several.
_VERSIONS = "versions"
_SPLIT = re.compile(r"[,:;\s]+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an Alembic environment keeps its revisions.

    Attributes:
        name: The folder of its scripts.
        folders: Folders of revisions.
    """

    name: str
    folders: tuple[str, ...]


def places(sources: Sources, own: Collection[str]) -> Iterator[Place]:
    """Yield the project's Alembic environments, by its own files.

    Settings are in alembic.ini, or in [tool.alembic] of pyproject.toml from Alembic 1.16 on.
    See https://alembic.sqlalchemy.org/en/latest/tutorial.html#editing-the-ini-file
    """
    seen: set[str] = set()
    for path in own:
        base = posixpath.basename(path)
        if base not in (_INI, _PYPROJECT):
            continue
        says = _ini(sources, path) if base == _INI else _pyproject(sources, path)
        found = None if says is None else _place(sources, posixpath.dirname(path), says)
        if found is not None and found.name not in seen:
            seen.add(found.name)
            yield found


def read_place(sources: Sources, place: Place) -> AppMigrations | None:
    """Return an environment's revisions, or None if there are none.

    Raises:
        BuildError: An author's mark is not one.
    """
    files = {}
    for folder in place.folders:
        for name in sorted(sources.names(folder)):
            if name.endswith(".py"):
                found = _read(sources, f"{folder}/{name}")
                if found is not None:
                    files[found.id] = found
    if not files:
        return None
    parents = {one.id: one.down for one in files.values()}
    ordered = in_order({one.id: (*one.down, *one.after) for one in files.values()})
    made: dict[str, str] = {}
    notes = []
    for revision in ordered:
        note = _note(place.name, files[revision], made)
        if note != MigrationNote(name=revision):
            notes.append(note)
    return AppMigrations(
        tool="alembic",
        app=place.name,
        heads=heads(parents),
        names=tuple(sorted(files)),
        notes=tuple(sorted(notes, key=lambda note: note.name)),
    )


@dataclass(frozen=True, slots=True)
class _Revision:
    id: str
    down: tuple[str, ...]
    after: tuple[str, ...]
    path: str
    title: str
    mark: ast.expr | None
    module: ast.Module


def _read(sources: Sources, path: str) -> _Revision | None:
    module = sources.parse(path)
    says = {} if module is None else assigned(module.body)
    revision = text(says.get("revision"))
    if module is None or revision is None:
        return None
    title = (ast.get_docstring(module) or "").strip().partition("\n")[0]
    return _Revision(
        revision,
        texts(says.get("down_revision")) or (),
        texts(says.get("depends_on")) or (),
        path,
        title[:80],
        says.get(MARK),
        module,
    )


def _note(place: str, one: _Revision, made: dict[str, str]) -> MigrationNote:
    own = f"{place}:{one.id}"
    functions = {node.name: node for node in one.module.body if isinstance(node, ast.FunctionDef)}
    effects = alembic_operations.effects(functions.get("upgrade"), own, made)
    word = lives_with(one.mark, path=one.path)
    return MigrationNote(
        name=one.id,
        title=one.title,
        effects=effects,
        irreversible=alembic_operations.irreversible(
            functions.get("upgrade"), functions.get("downgrade")
        ),
        lives_with=f"{place}:{word}" if word not in ("", "*", "!") else word,
    )


def _ini(sources: Sources, path: str) -> dict[str, list[str] | str] | None:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(sources.read(path) or "")
    except configparser.Error:
        return None
    if not parser.has_section("alembic"):
        return None
    says: dict[str, list[str] | str] = dict(parser.items("alembic"))
    return says


def _pyproject(sources: Sources, path: str) -> dict[str, list[str] | str] | None:
    try:
        document = tomllib.loads(sources.read(path) or "")
    except tomllib.TOMLDecodeError:
        return None
    says = document.get("tool", {}).get("alembic")
    return says if isinstance(says, dict) else None


def _place(sources: Sources, here: str, says: dict[str, list[str] | str]) -> Place | None:
    script = says.get("script_location")
    # Flask-Migrate leaves it out: its alembic.ini lies among the scripts.
    location = _resolve(sources, here, script) if isinstance(script, str) else here
    if location is None:
        return None
    listed = says.get("version_locations")
    if isinstance(listed, str):
        listed = [each for each in _SPLIT.split(_HERE.sub("", listed).strip()) if each]
    if not listed:
        return Place(location, (posixpath.join(location, _VERSIONS),))
    folders = [_resolve(sources, here, each) for each in listed]
    return Place(location, tuple(each for each in folders if each is not None))


def _resolve(sources: Sources, here: str, path: str) -> str | None:
    package, colon, inside = path.partition(":")
    if colon and package.replace(".", "").isidentifier():
        folder = sources.package(package)
        return None if folder is None else posixpath.join(folder, inside)
    return posixpath.normpath(posixpath.join(here, _HERE.sub("", path)))
