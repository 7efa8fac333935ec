"""The migrations of a finished tree, for the manifest."""

from __future__ import annotations

import posixpath
from collections.abc import Collection

from castoff.builder.migrations import alembic, django
from castoff.builder.migrations.django_apps import folders
from castoff.builder.migrations.django_settings import installed, settings_modules
from castoff.builder.migrations.source import Sources
from castoff.builder.tree import Tree
from castoff.store.migrations import AppMigrations

_DJANGO = "lib/django/db/migrations/migration.py"
_ALEMBIC = "lib/alembic/__init__.py"


def find_migrations(tree: Tree, ours: Collection[str] = ()) -> tuple[AppMigrations, ...]:
    """Return the migrations of every app that the release's code installs, in order.

    Those of Django are looked for where the tree holds Django, those of Alembic likewise.

    Args:
        tree: The release's tree.
        ours: Files in `lib/` that were built from the commit, relative to it.

    Raises:
        BuildError: An author's mark in a migration is not one.
    """
    paths = {file.path for file in tree.files}
    own = [
        path
        for path in sorted(paths)
        if path.startswith("app/") or path.removeprefix("lib/") in ours
    ]
    found: list[AppMigrations | None] = []
    if _DJANGO in paths:
        beside = [posixpath.dirname(p) for p in own if posixpath.basename(p) == "manage.py"]
        sources = Sources(tree, beside)
        said = installed(sources, settings_modules(sources, own))
        found += (
            django.read_app(sources, label, folder)
            for label, folder in sorted(folders(sources, said).items())
        )
    if _ALEMBIC in paths:
        sources = Sources(tree)
        found += (alembic.read_place(sources, one) for one in alembic.places(sources, own))
    return tuple(one for one in found if one is not None)
