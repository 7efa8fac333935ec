"""Alembic's revisions, by the release's own code."""

from __future__ import annotations

import os
import re
import shlex

from ..errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..parameters import Parameters
    from .migrate_shell import Shell

# A line of `current` or `heads`: a revision, and in brackets what it is. One that another revision
# depends on is called an effective head, and is not in the database beside that. Identifiers are
# made by people too, as `v3.2.0.a`; these characters alone are not for them.
_REVISION = re.compile(r"^([^\s()@+:-]+)((?: \([^)\n]*\))*)\s*$", re.MULTILINE)
_EFFECTIVE = "effective"


class Alembic:
    """See https://alembic.sqlalchemy.org/en/latest/tutorial.html ."""

    def __init__(self, options: Parameters, shell: Shell) -> None:
        """Take the step's table."""
        self._shell = shell
        config = options.text("config")
        if not os.path.isfile(os.path.join(shell.folder, config)):
            raise AgentError(
                "step-failed",
                f"step {shell.name!r}: the release has no {config}",
                "Mend `config` in the step's table.",
            )
        # Most settings name folders as seen from where they lie themselves.
        shell_folder = os.path.join(shell.folder, os.path.dirname(config))
        program = os.path.join(shell.folder, "bin", "alembic")
        self._start = f"cd {shlex.quote(shell_folder)} && {shlex.quote(program)}"
        if os.path.basename(config) != "pyproject.toml":
            self._start += f" -c {shlex.quote(os.path.basename(config))}"

    def migrate(self) -> None:
        """Run what is left."""
        self._shell.run(f"{self._start} upgrade heads")

    def left(self) -> list[str]:
        """Return the heads that the database is not at."""
        heads = self._ask("heads")
        current = {name for name, _ in self._ask("current")}
        return [name for name, what in heads if name not in current and _EFFECTIVE not in what]

    def take_back(self, down: Parameters) -> None:
        """Take revisions back, and see that they are gone.

        Args:
            down: `targets`, each with the `name` of a revision that stays, or `base`; `gone`, the
                revisions that must not be there after that.
        """
        for target in down.each("targets"):
            self._shell.run(f"{self._start} downgrade {shlex.quote(target.text('name'))}")
        still = {name for name, _ in self._ask("current")} & set(down.texts("gone"))
        if still:
            raise AgentError(
                "step-failed",
                f"step {self._shell.name!r} ended well, but the database is still at "
                + ", ".join(sorted(still)),
            )

    def _ask(self, what: str) -> list[tuple[str, str]]:
        return _REVISION.findall(self._shell.ask(f"{self._start} {what}"))
