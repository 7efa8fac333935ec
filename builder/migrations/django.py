"""Django's migrations: each app's graph, and what each migration does to code of before."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from castoff.builder.migrations import django_operations
from castoff.builder.migrations.django_operations import Outcome
from castoff.builder.migrations.django_state import Models, merged
from castoff.builder.migrations.graph import heads, in_order
from castoff.builder.migrations.literals import assigned, last_name, pairs
from castoff.builder.migrations.marks import MARK, lives_with
from castoff.builder.migrations.source import Sources
from castoff.store.migrations import AppMigrations, MigrationNote


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    attributes: Mapping[str, ast.expr]
    mark: ast.expr | None
    after: tuple[tuple[str, str], ...]
    before: tuple[tuple[str, str], ...]
    replaces: tuple[tuple[str, str], ...]


def read_app(sources: Sources, label: str, folder: str) -> AppMigrations | None:
    """Return an app's migrations, or None if there are none in its folder.

    Raises:
        BuildError: An author's mark is not one.
    """
    files: dict[str, _File] = {}
    if "__init__.py" not in sources.names(folder):
        # A namespace package has no migrations to Django.
        return None
    for name in sorted(sources.names(folder)):
        stem = name.removesuffix(".py")
        # As Django's own loader has it.
        if stem == name or stem[0] in "_~":
            continue
        found = _read(sources, f"{folder}/{name}")
        if found is not None:
            files[stem] = found
    if not files:
        return None
    parents = {name: _parents(label, name, files) for name in files}
    states: dict[str, Models] = {}
    notes = []
    for name in in_order(parents):
        before = [states[each] for each in parents[name] if each in states]
        outcome = Outcome(f"{label}.{name}", merged(before))
        states[name] = outcome.models
        note = _note(label, name, files[name], outcome)
        if note != MigrationNote(name=name):
            notes.append(note)
    alive = _squashed(label, parents, files)
    return AppMigrations(
        tool="django",
        app=label,
        heads=heads(alive),
        names=tuple(sorted(files)),
        notes=tuple(sorted(notes, key=lambda note: note.name)),
    )


def _squashed(
    label: str, parents: Mapping[str, tuple[str, ...]], files: Mapping[str, _File]
) -> dict[str, tuple[str, ...]]:
    """Return the graph in which what squashes others stands in their place, as Django has it."""
    instead = {
        replaced: name
        for name, file in files.items()
        for app, replaced in file.replaces
        if app == label and replaced != name
    }

    def standing(name: str) -> str:
        seen = set()
        while name in instead and name not in seen:
            seen.add(name)
            name = instead[name]
        return name

    return {
        name: tuple(dict.fromkeys(p for each in above if (p := standing(each)) != name))
        for name, above in parents.items()
        if name not in instead
    }


def _read(sources: Sources, path: str) -> _File | None:
    module = sources.parse(path)
    if module is None:
        # For a later Python than this, perhaps: that it is there counts all the same.
        return _File(path, {}, None, (), (), ())
    for node in module.body:
        if isinstance(node, ast.ClassDef) and node.name == "Migration":
            says = assigned(node.body)
            if "operations" not in says and [last_name(base) for base in node.bases] != [
                "Migration"
            ]:
                # Some base of the project's own has them.
                says["operations"] = node.bases[0] if node.bases else ast.Constant(None)
            return _File(
                path,
                says,
                says.get(MARK, assigned(module.body).get(MARK)),
                pairs(says.get("dependencies")),
                pairs(says.get("run_before")),
                pairs(says.get("replaces")),
            )
    return None


def _parents(label: str, stem: str, files: Mapping[str, _File]) -> tuple[str, ...]:
    """Return the app's own migrations that one builds on; `__first__` and `__latest__` are none."""
    own = files[stem]
    after = [name for app, name in own.after if app == label and name in files]
    asked = [name for name, file in files.items() if (label, stem) in file.before]
    return tuple(dict.fromkeys((*after, *asked)))


def _note(label: str, name: str, file: _File, outcome: Outcome) -> MigrationNote:
    if file.attributes:
        django_operations.apply(file.attributes.get("operations"), outcome)
    else:
        outcome.add("a file that cannot be read", sure=False)
    word = lives_with(file.mark, path=file.path)
    if word not in ("", "*", "!") and "." not in word:
        word = f"{label}.{word}"
    return MigrationNote(
        name=name,
        effects=tuple(dict.fromkeys(outcome.effects)),
        irreversible="; ".join(dict.fromkeys(outcome.irreversible)),
        replaces=tuple(f"{app}.{each}" for app, each in file.replaces),
        lives_with=word,
    )
