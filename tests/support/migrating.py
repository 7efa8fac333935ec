"""Files of projects with migrations, for the tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# What marks a tree as one with Django, or with Alembic.
DJANGO = {"lib/django/db/migrations/migration.py": "", "lib/django/__init__.py": ""}
ALEMBIC = {"lib/alembic/__init__.py": ""}


def write(top: Path, files: Mapping[str, str]) -> Path:
    """Write files below a folder and return it."""
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return top


def django_migration(
    operations: str = "",
    after: tuple[tuple[str, str], ...] = (),
    *,
    replaces: tuple[tuple[str, str], ...] = (),
    more: str = "",
) -> str:
    """Return the file of a Django migration."""
    lines = [
        "from django.db import migrations, models",
        "",
        "",
        "class Migration(migrations.Migration):",
        f"    dependencies = {list(after)!r}",
        *([f"    replaces = {list(replaces)!r}"] if replaces else []),
        *([f"    {more}"] if more else []),
        f"    operations = [{operations}]",
        "",
    ]
    return "\n".join(lines)


def revision(
    name: str,
    upgrade: str = "pass",
    down: str | tuple[str, ...] | None = None,
    *,
    downgrade: str = "op.execute('SELECT 1')",
    more: str = "",
) -> str:
    """Return the file of an Alembic revision."""
    return f'''"""Revision {name}"""

import sqlalchemy as sa
from alembic import op

revision: str = {name!r}
down_revision = {down!r}
{more}


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''
