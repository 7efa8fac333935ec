"""What a version knows of its database's migrations: a part of the manifest, and sums with it.

A build reads all of this from the migrations' files; no database is asked. The words of Django:
an *app* has migrations, those that no other one of it builds on are its *heads*. For Alembic an app
is a folder of revisions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from castoff.store.document import StoredDocument

Tool = Literal["django", "alembic"]


class Effect(StoredDocument):
    """Something that a migration does which code of before cannot live with, or may not.

    Attributes:
        what: In words.
        sure: Whether it is so for certain; else that cannot be told from the file.
        to: Identifier of the migration that made what it is done to: code that does not know that
            one has no part in it. Empty where that is not known.
    """

    what: str
    sure: bool
    to: str = ""


class MigrationNote(StoredDocument):
    """What is not usual about a migration; most have no note.

    Attributes:
        name: Its name in its app.
        title: What an Alembic revision is called beside its identifier.
        effects: What it does to code of before.
        irreversible: Why it cannot be taken back; empty if it can.
        replaces: Identifiers of the migrations that it was squashed from.
        lives_with: Its author's word: `*`, code of before lives with it; `!`, none does; else the
            identifier of the migration that code has to know to live with it.
    """

    name: str
    title: str = ""
    effects: tuple[Effect, ...] = ()
    irreversible: str = ""
    replaces: tuple[str, ...] = ()
    lives_with: str = ""


class AppMigrations(StoredDocument):
    """The migrations of one app.

    Attributes:
        tool: Whose migrations these are.
        app: Django's label of the app, or Alembic's folder.
        heads: Names of those that no other of the app builds on.
        names: All of them, sorted.
        notes: What is not usual about some.
    """

    tool: Tool
    app: str
    heads: tuple[str, ...]
    names: tuple[str, ...]
    notes: tuple[MigrationNote, ...] = ()


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration of a version.

    Attributes:
        id: What it is called among all: `shop.0002_price`, `app/alembic:4f2a9c`.
        text: The same for people.
    """

    tool: Tool
    app: str
    name: str
    note: MigrationNote

    @property
    def id(self) -> str:
        """What it is called among all migrations of all apps."""
        return identifier(self.tool, self.app, self.name)

    @property
    def text(self) -> str:
        """What it is called in messages."""
        if self.tool == "django":
            return self.id
        return f"{self.name} ({self.note.title})" if self.note.title else self.name

    def why(self, code: frozenset[str]) -> str:
        """Say why code cannot live with it, or may not; empty if it can.

        Args:
            code: The migrations that the code knows.
        """
        word = self.note.lives_with
        if word == "*" or word in code or self.id in code:
            return ""
        effects = [each for each in self.note.effects if not each.to or each.to in code]
        words = [each.what if each.sure else f"{each.what}: cannot be told" for each in effects]
        if any(each in code for each in self.note.replaces):
            words.append("squashed from some that are known and some that are not: cannot be told")
        if word:
            return "; ".join(words) or "its author says so"
        return "; ".join(words)


def identifier(tool: Tool, app: str, name: str) -> str:
    """Return what a migration is called among all migrations of all apps."""
    return f"{app}.{name}" if tool == "django" else f"{app}:{name}"


def all_of(apps: Iterable[AppMigrations]) -> dict[str, Migration]:
    """Return a version's migrations by identifier, in order."""
    found: dict[str, Migration] = {}
    for app in apps:
        notes = {note.name: note for note in app.notes}
        for name in app.names:
            note = notes.get(name) or MigrationNote(name=name)
            one = Migration(app.tool, app.app, name, note)
            found[one.id] = one
    return found


def known(apps: Iterable[AppMigrations]) -> frozenset[str]:
    """Return the identifiers of all that code of a version knows: squashed ones among them."""
    migrations = all_of(apps)
    replaced = (each for one in migrations.values() for each in one.note.replaces)
    return frozenset(migrations) | frozenset(replaced)


def to_run(apps: Iterable[AppMigrations], applied: frozenset[str]) -> tuple[Migration, ...]:
    """Return what a version's migrate step has to run where others were run before, in order.

    A squashed migration stands for those that it replaces if none of them, or all of them, were
    run; else those are run one by one, as Django does.
    See https://docs.djangoproject.com/en/stable/topics/migrations/#squashing-migrations
    """
    migrations = all_of(apps)
    done = set(applied)
    left_out: set[str] = set()
    for one in _inner_first(migrations):
        replaces = one.note.replaces
        there = [each for each in replaces if each in done]
        if len(there) == len(replaces):
            done.add(one.id)
        elif there:
            left_out.add(one.id)
        else:
            left_out.update(_all_replaced(one, migrations))
    return tuple(
        one for one in migrations.values() if one.id not in done and one.id not in left_out
    )


def incompatible(crossed: Iterable[Migration], code: frozenset[str]) -> tuple[Migration, ...]:
    """Return those migrations that code cannot live with, or may not.

    Args:
        crossed: Migrations that were run and that the code does not know.
        code: What it knows.
    """
    return tuple(one for one in crossed if one.why(code))


def reasons(migrations: Iterable[Migration], code: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Return each migration's name for people, with why code may not live with it."""
    return tuple((one.text, one.why(code)) for one in migrations)


def irreversible(crossed: Iterable[Migration]) -> tuple[Migration, ...]:
    """Return those migrations that cannot be taken back."""
    return tuple(one for one in crossed if one.note.irreversible)


def unknown_to(apps: Iterable[AppMigrations], code: frozenset[str]) -> tuple[Migration, ...]:
    """Return a version's migrations that other code does not know.

    One that only sums up what the code knows is none of them.
    """
    return tuple(
        one
        for one in all_of(apps).values()
        if one.id not in code and not (one.note.replaces and set(one.note.replaces) <= code)
    )


def _inner_first(migrations: Mapping[str, Migration]) -> list[Migration]:
    """Return what was squashed, each after those that it replaces."""
    ordered: dict[str, Migration] = {}

    def add(one: Migration, above: frozenset[str]) -> None:
        for each in one.note.replaces:
            inner = migrations.get(each)
            if inner is not None and inner.note.replaces and each not in above:
                add(inner, above | {each})
        ordered.setdefault(one.id, one)

    for one in migrations.values():
        if one.note.replaces:
            add(one, frozenset({one.id}))
    return list(ordered.values())


def _all_replaced(one: Migration, migrations: Mapping[str, Migration]) -> set[str]:
    found: set[str] = set()
    pending = list(one.note.replaces)
    while pending:
        each = pending.pop()
        if each not in found:
            found.add(each)
            inner = migrations.get(each)
            pending += inner.note.replaces if inner is not None else ()
    return found
