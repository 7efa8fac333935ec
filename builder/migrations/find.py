"""The migrations of a finished tree, for the manifest."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterator

from castoff.builder.migrations import alembic, django
from castoff.builder.migrations.django_apps import folders
from castoff.builder.migrations.django_settings import installed, settings_modules
from castoff.builder.migrations.source import Sources
from castoff.builder.tree import Tree
from castoff.store.migrations import AppMigrations
from castoff.store.places import PROJECT

_DJANGO = "lib/django/db/migrations/migration.py"
_ALEMBIC = "lib/alembic/__init__.py"
# Where code of the commit lies.
_OWN = ("app/", f"{PROJECT}/")


def find_migrations(
    tree: Tree, *, warn: Callable[[str], None] | None = None
) -> tuple[AppMigrations, ...]:
    """Return the migrations of every app that the release's code installs, in order.

    Those of Django are looked for where the tree holds Django, those of Alembic likewise.

    Args:
        tree: The release's tree.
        warn: Is told, in a sentence, of settings whose migrations cannot be found.

    Raises:
        BuildError: An author's mark in a migration is not one.
    """
    own = [path for path in tree.paths if path.startswith(_OWN)]
    found: list[AppMigrations | None] = []
    if tree.file(_DJANGO) is not None:
        beside = [posixpath.dirname(p) for p in own if posixpath.basename(p) == "manage.py"]
        sources = Sources(tree, beside)
        said = installed(sources, settings_modules(sources, own))
        found += (
            django.read_app(sources, label, folder)
            for label, folder in sorted(folders(sources, said).items())
        )
    if tree.file(_ALEMBIC) is not None:
        sources = Sources(tree)
        found += _of_alembic(sources, own, warn)
    return tuple(one for one in found if one is not None)


def _of_alembic(
    sources: Sources, own: Collection[str], warn: Callable[[str], None] | None
) -> Iterator[AppMigrations | None]:
    for place in alembic.places(sources, own):
        if not place.there and warn is not None:
            warn(
                f"{place.settings}: the release has no folder {place.name} of Alembic's scripts, "
                "so plan, diff and rollback know none of its migrations: mend script_location, or "
                "`include` in castoff.toml"
            )
        yield alembic.read_place(sources, place)
