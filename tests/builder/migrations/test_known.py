"""Migrations that were found before are not looked for again, unless what was read has changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from castoff.builder.cache import Cache
from castoff.builder.migrations import find, known
from castoff.builder.migrations.find import find_migrations
from castoff.builder.tree import Tree, walk
from castoff.store.migrations import AppMigrations
from support.migrating import ALEMBIC, DJANGO, django_migration, write

FIRST = django_migration('migrations.CreateModel("Item", [("name", models.CharField(null=True))])')
FILES = {
    **DJANGO,
    **ALEMBIC,
    "app/manage.py": 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")\n',
    "app/settings.py": 'INSTALLED_APPS = ["shop"]\n',
    "app/shop/__init__.py": "",
    "app/shop/services.py": "RATE = 1\n",
    "app/shop/migrations/__init__.py": "",
    "app/shop/migrations/0001_initial.py": FIRST,
    "app/alembic.ini": "[alembic]\nscript_location = nowhere\n",
}
SECOND = django_migration(
    'migrations.RemoveField("Item", "name")', after=(("shop", "0001_initial"),)
)


class Bench:
    """A tree, and a cache beside it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cache = Cache(folder / "cache")
        self.folder = folder / "tree"
        self.searches = 0

        def counted(*words: object, **options: object) -> object:
            self.searches += 1
            return find_migrations(*words, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(find, "find_migrations", counted)

    def found(self, changes: dict[str, str]) -> tuple[tuple[AppMigrations, ...], list[str], bool]:
        """Return what is found of the tree with some changes, and whether it was looked for."""
        shutil.rmtree(self.folder, ignore_errors=True)
        tree: Tree = walk(write(self.folder, {**FILES, **changes}))
        before = self.searches
        told: list[str] = []
        apps = known.known_migrations(tree, cache=self.cache, warn=told.append)
        wanted: list[str] = []
        assert apps == find_migrations(tree, warn=wanted.append)
        assert told == wanted
        return apps, told, self.searches > before


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def test_a_change_elsewhere_has_nothing_looked_for_again(bench: Bench) -> None:
    apps, told, looked = bench.found({})
    assert looked
    assert [(app.app, app.names) for app in apps if app.tool == "django"] == [
        ("shop", ("0001_initial",))
    ]
    assert len(told) == 1
    assert bench.found({"app/shop/services.py": "RATE = 2\n"}) == (apps, told, False)


@pytest.mark.parametrize(
    "changes",
    [
        {"app/shop/migrations/0001_initial.py": FIRST.replace("null=True", "null=False")},
        {"app/shop/migrations/0002_second.py": SECOND},
        {"app/settings.py": "INSTALLED_APPS = []\n"},
        {"app/alembic.ini": "[alembic]\nscript_location = elsewhere\n"},
        {"app/shop/apps.py": "class Shop(AppConfig):\n    name = 'shop'\n    label = 'store'\n"},
    ],
)
def test_a_change_of_what_was_read_has_it_looked_for(bench: Bench, changes: dict[str, str]) -> None:
    bench.found({})
    assert bench.found(changes)[2]
    assert not bench.found(changes)[2]


def test_other_code_looks_for_itself(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.found({})
    monkeypatch.setattr(known, "_code", lambda: ["other"])
    assert bench.found({})[2]
