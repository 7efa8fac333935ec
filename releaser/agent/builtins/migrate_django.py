"""Django's migrations, by the release's own code."""

from __future__ import annotations

import os
import re
import shlex

from ..errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..parameters import Parameters
    from .migrate_shell import Shell

_MANAGE = "app/manage.py"
# A line of `showmigrations --plan`.
_PLANNED = re.compile(r"^\[([ X])\]\s+(\w+\.\S+)", re.MULTILINE)


class Django:
    """See https://docs.djangoproject.com/en/stable/ref/django-admin/#migrate ."""

    def __init__(self, options: Parameters, shell: Shell) -> None:
        """Take the step's table."""
        self._shell = shell
        self._databases = options.texts("databases")
        manage = options.text_or_none("manage")
        settings = options.text_or_none("settings")
        if settings is not None:
            shell.environment["DJANGO_SETTINGS_MODULE"] = settings
        there = os.path.isfile(os.path.join(shell.folder, manage or _MANAGE))
        if manage is not None and not there:
            raise AgentError(
                "step-failed",
                f"step {shell.name!r}: the release has no {manage}",
                "Mend `manage` in the step's table.",
            )
        program = ["bin/python", manage or _MANAGE] if there else ["bin/django-admin"]
        self._program = program

    def migrate(self) -> None:
        """Run what is left."""
        for database in self._databases:
            self._shell.run(self._command("migrate", database, "--noinput"))

    def left(self) -> list[str]:
        """Return the names of the migrations that have not been run."""
        return [name for state, name in self._planned() if state == " "]

    def take_back(self, down: Parameters) -> None:
        """Take migrations back, app by app, and see that they are gone.

        Args:
            down: `targets`, each an `app` and its last migration that stays, or `zero`; `gone`,
                the migrations that must not be there after that.
        """
        for target in down.each("targets"):
            app, name = target.text("app"), target.text("name")
            for database in self._databases:
                self._shell.run(self._command("migrate", database, "--noinput", app, name))
        still = {name for state, name in self._planned() if state == "X"} & set(down.texts("gone"))
        if still:
            raise AgentError(
                "step-failed",
                f"step {self._shell.name!r} ended well, but these are still there: "
                + ", ".join(sorted(still)),
            )

    def _planned(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for database in self._databases:
            command = self._command("showmigrations", database, "--plan", "--no-color")
            found += _PLANNED.findall(self._shell.ask(command))
        return found

    def _command(self, action: str, database: str, *more: str) -> str:
        words = [*self._program, action, *more, "--database", database]
        return " ".join(shlex.quote(word) for word in words)
