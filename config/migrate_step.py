"""What castoff.toml says of a step that migrates a database."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from castoff.config import rules
from castoff.config.errors import Misfit
from castoff.config.table import RelativePath, Table, Text

# Keys, and the presets that have a use for them; "" for a command of one's own.
_OF = {
    "settings": "django",
    "manage": "django",
    "databases": "django",
    "config": "alembic",
    "app": "flask-migrate",
    "directory": "flask-migrate",
    "check": "",
    "down": "",
}


class Migrate(Table):
    """`[environments.E.steps.migrate]`: the database brought to what the new version knows.

    Presets: `django` runs `migrate` by the release's own `manage.py` (or `bin/django-admin`),
    `alembic` runs `bin/alembic upgrade heads`, `flask-migrate` `bin/flask db upgrade heads`. All
    then ask whether anything is left, which fails the step. Without a preset `command` does it.
    """

    preset: Literal["django", "alembic", "flask-migrate"] | None = None
    # Django: module of settings (DJANGO_SETTINGS_MODULE); `manage.py` in the release, which is
    # `app/manage.py` where there is such a file; aliases of the databases, in order.
    settings: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*$")] | None = None
    manage: RelativePath | None = None
    databases: Annotated[tuple[Text, ...], Field(min_length=1)] = ("default",)
    # Alembic: its settings in the release. It runs in their folder, or in the one above which their
    # `script_location` starts at.
    config: RelativePath = "app/alembic.ini"
    # Flask-Migrate: the app as `flask --app` takes it, default: as FLASK_APP says; and the folder
    # of its migrations in the release.
    app: Text | None = None
    directory: RelativePath = "app/migrations"
    # Run by /bin/sh -c in the release's directory.
    command: Text | None = None
    # For `command`: succeeds if nothing is left to migrate, and changes nothing.
    check: Text | None = None
    # For `command`: takes back what CASTOFF_TO_VERSION does not know, by the code that does
    # (`castoff rollback --migrate-down`).
    down: Text | None = None

    @property
    def tool(self) -> Literal["django", "alembic"] | None:
        """Whose migrations the preset runs, as a manifest calls it; None for a command."""
        return "alembic" if self.preset == "flask-migrate" else self.preset

    @property
    def asks(self) -> bool:
        """Whether it can tell that nothing is left to do."""
        return self.preset is not None or self.check is not None

    @model_validator(mode="after")
    def _does_it_one_way(self) -> Migrate:
        rules.require(_misfits(self))
        return self


def _misfits(table: Migrate) -> tuple[Misfit, ...]:
    if (table.preset is None) == (table.command is None):
        return (Misfit(("preset",), "needs either 'preset' or 'command'"),)
    return tuple(
        Misfit((key,), f"'{key}' is for {f'the preset {preset!r}' if preset else 'a command'}")
        for key, preset in _OF.items()
        if key in table.model_fields_set and (table.preset or "") != preset
    )
