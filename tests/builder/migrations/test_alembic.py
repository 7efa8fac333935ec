"""Alembic's revisions, read from trees."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.builder.migrations.find import find_migrations
from castoff.builder.tree import walk
from castoff.store.migrations import AppMigrations, all_of
from support.migrating import ALEMBIC, revision, write

FIRST = revision("aa1", "op.create_table('item', sa.Column('id', sa.Integer))")
INI = "[alembic]\nscript_location = %(here)s/db\n"
BASE = {**ALEMBIC, "app/alembic.ini": INI, "app/db/versions/aa1_first.py": FIRST}


def found(tmp_path: Path, files: dict[str, str]) -> list[AppMigrations]:
    return list(find_migrations(walk(write(tmp_path, files))))


def why(tmp_path: Path, upgrade: str, **how: str) -> str:
    second = revision("bb2", upgrade, "aa1", **how)
    apps = found(tmp_path, {**BASE, "app/db/versions/bb2.py": second})
    return all_of(apps)["app/db:bb2"].why(frozenset({"app/db:aa1"}))


@pytest.mark.parametrize(
    "upgrade",
    [
        "pass",
        "op.add_column('item', sa.Column('n', sa.Integer()))",
        "op.add_column('item', sa.Column('n', sa.Integer(), nullable=False, server_default='0'))",
        "op.create_table('tag', sa.Column('n', sa.Integer)); op.drop_column('tag', 'n')",
        "op.create_index('i', 'item', ['n'])",
        "op.alter_column('item', 'n', nullable=True)",
        "op.execute('COMMENT ON TABLE item IS 1')",
    ],
)
def test_what_only_adds_is_compatible(tmp_path: Path, upgrade: str) -> None:
    assert why(tmp_path, upgrade) == ""


@pytest.mark.parametrize(
    ("upgrade", "says"),
    [
        ("op.drop_column('item', 'n')", "drop_column item.n"),
        ("op.drop_table('item')", "drop_table item"),
        ("op.rename_table('item', 'thing')", "rename_table item"),
        ("op.alter_column('item', 'n', new_column_name='m')", "alter_column item.n: renamed"),
        ("op.alter_column('item', 'n', nullable=False)", "alter_column item.n: null is refused"),
        (
            "op.add_column('item', sa.Column('n', sa.Integer(), nullable=False))",
            "add_column item.n without nullable or server_default",
        ),
        (
            "with op.batch_alter_table('item') as batch: batch.drop_column('n')",
            "drop_column item.n",
        ),
        ("op.execute(sa.text('DROP TABLE item'))", "SQL DROP TABLE item"),
        ("op.execute('UPDATE item SET n = 1')", "SQL UPDATE item SET n = 1: cannot be told"),
        ("fill(op.get_bind())", "fill.fill: cannot be told"),
    ],
)
def test_what_takes_away_or_cannot_be_told_is_named(
    tmp_path: Path, upgrade: str, says: str
) -> None:
    assert says in why(tmp_path, upgrade)


def test_the_authors_word_counts(tmp_path: Path) -> None:
    assert why(tmp_path, "op.drop_table('item')", more="castoff_compatible = True") == ""
    assert why(tmp_path, "op.drop_table('item')", more="castoff_compatible = 'aa1'") == ""
    assert why(tmp_path, "pass", more="castoff_compatible = False") == "its author says so"


def test_branches_have_several_heads_and_a_merge_has_one(tmp_path: Path) -> None:
    files = {
        **BASE,
        "app/db/versions/b.py": revision("b", down="aa1"),
        "app/db/versions/c.py": revision("c", down="aa1"),
    }
    assert found(tmp_path, files)[0].heads == ("b", "c")

    files["app/db/versions/d.py"] = revision("d", down=("b", "c"))
    assert found(tmp_path, files)[0].heads == ("d",)


@pytest.mark.parametrize(
    ("downgrade", "says"),
    [
        ("pass", "downgrade does nothing"),
        ("raise NotImplementedError", "downgrade raises an error"),
        ("op.drop_table('item')", ""),
    ],
)
def test_what_cannot_be_taken_back_says_why(tmp_path: Path, downgrade: str, says: str) -> None:
    second = revision("bb2", "op.create_table('x')", "aa1", downgrade=downgrade)
    apps = found(tmp_path, {**BASE, "app/db/versions/bb2.py": second})

    assert all_of(apps)["app/db:bb2"].note.irreversible == says


@pytest.mark.parametrize(
    ("files", "folder"),
    [
        ({"app/migrations/alembic.ini": "[alembic]\n"}, "app/migrations/versions"),
        (
            {"app/pyproject.toml": '[tool.alembic]\nscript_location = "%(here)s/db"\n'},
            "app/db/versions",
        ),
        (
            {"app/alembic.ini": "[alembic]\nscript_location = shop:db\n", "app/shop/db/env.py": ""},
            "app/shop/db/versions",
        ),
        (
            {
                "app/alembic.ini": f"{INI}version_locations = %(here)s/one:%(here)s/two\n"
                "version_path_separator = os\n"
            },
            "app/two",
        ),
        (
            {
                "app/conf/prod.ini": "[alembic]\nscript_location = db\n"
                "version_locations =\n    one\n    shop:more/two\npath_separator = newline\n",
                "app/src/shop/__init__.py": "",
            },
            "app/src/shop/more/two",
        ),
        (
            {
                "app/alembic.ini": "[alembic]\nscript_location = shop:db\n",
                # A folder of that name that Python passes over.
                "app/shop/logo.svg": "",
                "lib/shop/__init__.py": "",
            },
            "lib/shop/db/versions",
        ),
        # A project with a wheel of its own.
        (
            {
                "project/shop/alembic.ini": "[alembic]\nscript_location = shop:db\n",
                "project/shop/__init__.py": "",
                "lib/shop/theirs.py": "",
            },
            "project/shop/db/versions",
        ),
        ({"app/alembic.ini": f"{INI}version_locations = one, two\n"}, "app/two"),
        # Alembic is run at the top, with settings deep inside.
        (
            {
                "app/shop/db/alembic.ini": "[alembic]\nscript_location = shop/db\n",
                "app/shop/db/env.py": "",
            },
            "app/shop/db/versions",
        ),
        (
            {"app/alembic.ini": f"{INI}recursive_version_locations = true\n"},
            "app/db/versions/2026/11",
        ),
    ],
)
def test_wherever_settings_say_that_revisions_lie(
    tmp_path: Path, files: dict[str, str], folder: str
) -> None:
    apps = found(tmp_path, {**ALEMBIC, **files, f"{folder}/x.py": FIRST})

    assert [app.names for app in apps] == [("aa1",)]
    assert apps[0].notes[0].title == "Revision aa1"


@pytest.mark.parametrize("script", ["nowhere", "no.package:db"])
def test_settings_whose_scripts_are_not_there_are_told(tmp_path: Path, script: str) -> None:
    ini = f"[alembic]\nscript_location = {script}\n"
    tree = walk(write(tmp_path, {**ALEMBIC, "app/alembic.ini": ini}))
    told: list[str] = []

    assert find_migrations(tree, warn=told.append) == ()
    (words,) = told
    assert words.startswith("app/alembic.ini: the release has no folder ")
    assert script in words

    find_migrations(walk(write(tmp_path / "whole", BASE)), warn=told.append)
    assert len(told) == 1
