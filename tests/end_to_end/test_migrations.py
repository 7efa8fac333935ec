"""Real migrations of Django and Alembic: run, refused on the way back, and taken back."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from support.builds import lock
from support.migrating import django_migration, revision
from support.site import Site

SETTINGS = """\
import os

SECRET_KEY = "x"
INSTALLED_APPS = ["django.contrib.contenttypes", "shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DB"]}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
USE_I18N = False
"""
MANAGE = """\
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site1.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
"""
ITEM = """\
from django.db import models


class Item(models.Model):
    id = models.AutoField(primary_key=True)
    name = models.CharField(max_length=20, null=True)
"""
FIRST = django_migration(
    'migrations.CreateModel("Item", [("id", models.AutoField(primary_key=True)), '
    '("name", models.CharField(max_length=20, null=True))])',
    more="initial = True",
)
SECOND = django_migration(
    'migrations.AddField("item", "price", models.IntegerField(null=True))',
    (("shop", "0001_initial"),),
)
THIRD = django_migration('migrations.RemoveField("item", "name")', (("shop", "0002_price"),))
ENV = """\
import os

from alembic import context
from sqlalchemy import create_engine

engine = create_engine("sqlite:///" + os.environ["ALEMBIC_DB"])
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
# Nothing that these projects import: of Django most files are translations.
CONFIG = """\
[apps.shop]

[apps.shop.build]
prune = ["django/conf/locale/*/**", "django/contrib/[ag]*/**"]

[environments.production]
transport = "local"
root = "{root}/{{host}}"
hosts = [{{ name = "web1" }}, {{ name = "web2" }}]
env = {{ DB = "{root}/db.sqlite3", ALEMBIC_DB = "{root}/alembic.sqlite3" }}

[[environments.production.steps]]
name = "migrate"
moment = "once"
migrate = {{ preset = "django" }}

[[environments.production.steps]]
name = "upgrade"
moment = "once"
migrate = {{ preset = "alembic", config = "app/conf/alembic.ini" }}
"""
ALEMBIC = {
    "conf/alembic.ini": "[alembic]\nscript_location = revisions\n",
    "conf/revisions/env.py": ENV,
    "conf/revisions/versions/aa1.py": revision(
        "aa1", "op.create_table('thing', sa.Column('id', sa.Integer))"
    ),
}
ALEMBIC_THIRD = {
    "conf/revisions/versions/bb2.py": revision(
        "bb2",
        "op.create_table('extra', sa.Column('id', sa.Integer))",
        "aa1",
        downgrade="op.drop_table('extra')",
    )
}


def publish(site: Site, version: str, files: dict[str, str]) -> None:
    site.write(files)
    site.commit(version)
    # A build has processes of its own, and so is one that no other was forked from.
    building = site.start("build", "--version", version)
    _, said = building.communicate(timeout=400)
    assert building.returncode == 0, said
    outcome = site.castoff("push", version)
    assert outcome.code == 0, outcome.err


def columns(database: Path) -> set[str]:
    with sqlite3.connect(database) as connection:
        return {row[1] for row in connection.execute("PRAGMA table_info(shop_item)")}


def tables(database: Path) -> set[str]:
    with sqlite3.connect(database) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}


@pytest.mark.timeout(600)
def test_there_and_back_again(site: Site, tmp_path: Path) -> None:
    root = tmp_path / "srv"
    django, things = root / "db.sqlite3", root / "alembic.sqlite3"
    project = {
        "castoff.toml": CONFIG.format(root=root),
        "requirements.txt": lock("django==5.2.8", "alembic==1.17.2", "sqlalchemy==2.0.44"),
        "manage.py": MANAGE,
        "site1/__init__.py": "",
        "site1/settings.py": SETTINGS,
        "shop/__init__.py": "",
        "shop/models.py": ITEM,
        "shop/migrations/__init__.py": "",
        "shop/migrations/0001_initial.py": FIRST,
        ".gitignore": "artifacts/\n",
        **ALEMBIC,
    }
    publish(site, "2", {**project, "shop/migrations/0002_price.py": SECOND})
    publish(site, "3", {"shop/migrations/0003_no_name.py": THIRD, **ALEMBIC_THIRD})
    manifest = json.loads((site.folder / "artifacts/shop-3.manifest.json").read_text())
    heads = {one["app"]: one["heads"] for one in manifest["migrations"]}
    assert heads["shop"] == ["0003_no_name"]
    assert heads["app/conf/revisions"] == ["bb2"]
    assert set(heads) == {"contenttypes", "shop", "app/conf/revisions"}

    outcome = site.castoff("release", "2")
    assert outcome.code == 0, outcome.err
    assert columns(django) == {"id", "name", "price"}
    diff = site.castoff("diff", "2", "3", "--json").json
    assert diff["to_migrate"] == ["shop.0003_no_name", "bb2 (Revision bb2)"]
    plan = site.castoff("plan", "3")
    assert "migrations to run: shop.0003_no_name, bb2 (Revision bb2)" in plan.out
    assert "NO WAY BACK over shop.0003_no_name, which 2 may not live with" in plan.out

    released = site.castoff("release", "3")
    assert released.code == 0, released.err
    assert "Applying shop.0003_no_name... OK" in released.err + released.out
    assert columns(django) == {"id", "price"}
    assert "extra" in tables(things)

    refused = site.castoff("rollback")
    assert refused.code == 25
    assert "shop.0003_no_name: RemoveField item.name" in refused.err
    assert "--migrate-down" in refused.err
    assert columns(django) == {"id", "price"}

    allowed = site.castoff("rollback", "--allow-incompatible")
    assert allowed.code == 0, allowed.err
    assert "allowed although 2 may not live with it" in site.castoff("history", "3").out

    # What is left is asked for, and nothing is: no second run.
    quiet = site.castoff("release", "3")
    assert quiet.code == 0, quiet.err
    assert "not run: nothing is left" in quiet.err + quiet.out
    assert "Applying" not in quiet.err + quiet.out

    back = site.castoff("rollback", "--migrate-down")
    assert back.code == 0, back.err
    assert columns(django) == {"id", "name", "price"}
    assert "extra" not in tables(things)
    assert "thing" in tables(things)
    for host in ("web1", "web2"):
        assert (root / host / "current").readlink().name == "2"
    told = site.castoff("history", "5").out
    assert "migrations to take back: shop.0003_no_name, bb2 (Revision bb2)" in told
