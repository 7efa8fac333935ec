"""Heads of projects of odd layouts are those that Django and Alembic themselves find."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from castoff.builder.migrations.find import find_migrations
from castoff.builder.tree import walk
from support.migrating import ALEMBIC, DJANGO, django_migration, revision, write
from support.migrating_postgresql import installed

_MANAGE = """\
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "backend" / "apps"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "conf.settings")
"""
_SETTINGS = """\
from conf.base import *

INSTALLED_APPS += ["inner", "blog.apps.BlogConfig", "moved", "bare", "none"]
MIGRATION_MODULES = {"moved": "conf.moved_migrations", "none": None}
"""
_BASE = 'SECRET_KEY = "x"\nINSTALLED_APPS = ["shop", "merged"]\n'
_BLOG = """\
from django.apps import AppConfig


class BlogConfig(AppConfig):
    name = "blog"
    label = "posts"
"""


def _after(*names: str, app: str = "shop") -> tuple[tuple[str, str], ...]:
    return tuple((app, name) for name in names)


PROJECT = {
    "app/manage.py": _MANAGE,
    "app/conf/__init__.py": "",
    "app/conf/base.py": _BASE,
    "app/conf/settings.py": _SETTINGS,
    # Squashed up to the second of four; the third names the second still.
    "app/shop/__init__.py": "",
    "app/shop/migrations/__init__.py": "",
    "app/shop/migrations/0001_initial.py": django_migration(more="initial = True"),
    "app/shop/migrations/0002_more.py": django_migration("", _after("0001_initial")),
    "app/shop/migrations/0001_squashed.py": django_migration(
        "", replaces=_after("0001_initial", "0002_more")
    ),
    "app/shop/migrations/0003_third.py": django_migration("", _after("0002_more")),
    "app/shop/migrations/0004_fourth.py": django_migration("", _after("0003_third")),
    # Two branches, merged; one that another app asks to run after its own.
    "app/merged/__init__.py": "",
    "app/merged/migrations/__init__.py": "",
    "app/merged/migrations/0001_initial.py": django_migration(),
    "app/merged/migrations/0002_a.py": django_migration("", _after("0001_initial", app="merged")),
    "app/merged/migrations/0002_b.py": django_migration(
        "", (*_after("0001_initial", app="merged"), ("shop", "__latest__"))
    ),
    "app/merged/migrations/0003_merge.py": django_migration(
        "", _after("0002_a", "0002_b", app="merged")
    ),
    # On the path of the project alone, with a label of its own, and still with two heads.
    "app/backend/apps/blog/__init__.py": "",
    "app/backend/apps/blog/apps.py": _BLOG,
    "app/backend/apps/blog/migrations/__init__.py": "",
    "app/backend/apps/blog/migrations/0001_initial.py": django_migration(),
    "app/backend/apps/blog/migrations/0002_a.py": django_migration(
        "", _after("0001_initial", app="posts")
    ),
    "app/backend/apps/blog/migrations/0002_b.py": django_migration(
        "", _after("0001_initial", app="posts")
    ),
    "app/src/inner/__init__.py": "",
    "app/src/inner/migrations/__init__.py": "",
    "app/src/inner/migrations/0001_initial.py": django_migration(),
    "app/moved/__init__.py": "",
    "app/moved/migrations/__init__.py": "",
    "app/moved/migrations/0001_unused.py": django_migration(),
    "app/conf/moved_migrations/__init__.py": "",
    "app/conf/moved_migrations/0001_used.py": django_migration(),
    # No package, no migrations; and an app that is said to have none.
    "app/bare/__init__.py": "",
    "app/bare/migrations/0001_initial.py": django_migration(),
    "app/none/__init__.py": "",
    "app/none/migrations/__init__.py": "",
    "app/none/migrations/0001_initial.py": django_migration(),
}
_ASK_DJANGO = """\
import json, runpy, sys
runpy.run_path("manage.py")
sys.path.insert(0, "src")
import django
django.setup()
from django.db.migrations.loader import MigrationLoader
found = {}
for app, name in MigrationLoader(None).graph.leaf_nodes():
    found.setdefault(app, []).append(name)
print(json.dumps(found))
"""
_ASK_ALEMBIC = """\
import json
from alembic.config import Config
from alembic.script import ScriptDirectory
print(json.dumps(sorted(ScriptDirectory.from_config(Config("alembic.ini")).get_heads())))
"""
REVISIONS = {
    "app/alembic.ini": "[alembic]\nscript_location = shop:db\nrecursive_version_locations = true\n"
    "version_locations =\n    shop:db/versions\n    more\npath_separator = newline\n",
    "app/shop/__init__.py": "",
    "app/shop/db/env.py": "",
    "app/shop/db/versions/a.py": revision("v1.0.a"),
    "app/shop/db/versions/2026/b.py": revision("b2", down="v1.0.a"),
    "app/more/c.py": revision("c3", down="v1.0.a", more="branch_labels = ('more',)"),
    "app/more/deep/d.py": revision("d4", down="c3", more="depends_on = 'b2'"),
}


def ask(tmp_path: Path, question: str) -> str:
    variables = {**os.environ, "PYTHONPATH": str(installed())}
    argv = [sys.executable, "-c", question]
    folder = tmp_path / "app"
    return subprocess.run(
        argv, cwd=folder, env=variables, check=True, capture_output=True, text=True
    ).stdout


def test_heads_are_those_of_django(tmp_path: Path) -> None:
    found = find_migrations(walk(write(tmp_path, {**DJANGO, **PROJECT})))
    theirs = json.loads(ask(tmp_path, _ASK_DJANGO))
    assert {one.app: sorted(one.heads) for one in found} == {
        app: sorted(names) for app, names in theirs.items()
    }
    assert set(theirs) == {"shop", "merged", "posts", "inner", "moved"}


def test_heads_are_those_of_alembic(tmp_path: Path) -> None:
    (found,) = find_migrations(walk(write(tmp_path, {**ALEMBIC, **REVISIONS})))
    # It counts one that another depends on as reached by that.
    assert json.loads(ask(tmp_path, _ASK_ALEMBIC)) == sorted(found.heads)
