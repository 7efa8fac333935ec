"""Alembic's revisions by way of Flask-Migrate, whose app knows the database."""

from __future__ import annotations

import os
import shlex

from .migrate_alembic import Alembic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..parameters import Parameters


class FlaskMigrate(Alembic):
    """See https://flask-migrate.readthedocs.io/en/latest/#command-reference ."""

    def _begin(self, options: Parameters) -> str:
        directory, app = options.text("directory"), options.text_or_none("app")
        self._whole(os.path.join(directory, "env.py"), "directory")
        self._where = f" --directory {shlex.quote(directory)}"
        named = "" if app is None else f" --app {shlex.quote(app)}"
        return f"{self._program('flask')}{named} db"

    def _command(self, what: str) -> str:
        return super()._command(what) + self._where
