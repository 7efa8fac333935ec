"""Alembic's revisions: where they lie, their graph, and what each does to code of before."""

from __future__ import annotations

import ast
import configparser
import posixpath
import re
import sys
from collections.abc import Collection, Iterator, Mapping
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

_INI = ".ini"
_PYPROJECT = "pyproject.toml"
_HERE = re.compile(r"%\(here\)s/?")
# Alembic's own default.
_VERSIONS = "versions"
# What splits folders of several, by what settings call it; without a word it is what older releases
# split at.
_SEPARATORS = ("path_separator", "version_path_separator")
_SPLIT = {
    "os": re.compile(r":"),
    ":": re.compile(r":"),
    ";": re.compile(r";"),
    "space": re.compile(r"\s+"),
    "newline": re.compile(r"\n"),
}
_SPLIT_OF_OLD = re.compile(r"[,\s]+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an Alembic environment keeps its revisions.

    Attributes:
        settings: The file that says so.
        name: The folder of its scripts.
        there: Whether the tree has that folder.
        folders: Folders of revisions.
    """

    settings: str
    name: str
    there: bool
    folders: tuple[str, ...]


def places(sources: Sources, own: Collection[str]) -> Iterator[Place]:
    """Yield the project's Alembic environments, by its own files.

    Settings are in alembic.ini, or in [tool.alembic] of pyproject.toml from Alembic 1.16 on.
    See https://alembic.sqlalchemy.org/en/latest/tutorial.html#editing-the-ini-file
    """
    seen: set[str] = set()
    for path in own:
        # The ini file may have any name; the step's `config` says it.
        if posixpath.basename(path) == _PYPROJECT:
            says = _pyproject(sources, path)
        elif path.endswith(_INI):
            says = _ini(sources, path)
        else:
            continue
        found = None if says is None else _place(sources, path, says)
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


def _place(sources: Sources, path: str, says: dict[str, list[str] | str]) -> Place | None:
    here = posixpath.dirname(path)
    script = says.get("script_location")
    # Flask-Migrate leaves it out: its alembic.ini lies among the scripts.
    seen_from = _seen_from(sources, here, script) if isinstance(script, str) else here
    location = _resolve(sources, here, seen_from, script) if isinstance(script, str) else here
    if location is None:
        return Place(path, str(script), there=False, folders=())
    listed = says.get("version_locations")
    if isinstance(listed, str):
        listed = _split(listed, says)
    if listed:
        folders = [_resolve(sources, here, seen_from, each) for each in listed]
    else:
        folders = [posixpath.join(location, _VERSIONS)]
    known = [each for each in folders if each is not None]
    if str(says.get("recursive_version_locations", "")).lower() == "true":
        known += [below for each in known for below in sources.folders_below(each)]
    there = bool(sources.names(location) or sources.folders_below(location))
    return Place(path, location, there=there, folders=tuple(dict.fromkeys(known)))


def _split(listed: str, says: Mapping[str, object]) -> list[str]:
    """Return the folders of `version_locations`; each may have a colon, as `package:folder`."""
    named = next((str(says[key]) for key in _SEPARATORS if key in says), "")
    separator = _SPLIT.get(named, _SPLIT_OF_OLD)
    return [each.strip() for each in separator.split(listed) if each.strip()]


def _seen_from(sources: Sources, here: str, script: str) -> str:
    """Return the folder that Alembic has to run in, which its relative paths start at.

    That is the one of the settings, or the nearest above in which the scripts are found: some
    projects keep their settings deep inside and run Alembic at their top. The agent does the same.
    """
    folder = here
    while folder:
        if sources.names(posixpath.normpath(posixpath.join(folder, script))):
            return folder
        folder = posixpath.dirname(folder)
    return here


def _resolve(sources: Sources, here: str, seen_from: str, path: str) -> str | None:
    package, colon, inside = path.partition(":")
    if colon and package.replace(".", "").isidentifier():
        folder = sources.package_anywhere(package)
        return None if folder is None else posixpath.join(folder, inside)
    start = here if _HERE.search(path) else seen_from
    return posixpath.normpath(posixpath.join(start, _HERE.sub("", path)))
