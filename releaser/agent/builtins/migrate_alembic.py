"""Alembic's revisions, by the release's own code."""

from __future__ import annotations

import configparser
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
        self._start = self._begin(options)

    def _begin(self, options: Parameters) -> str:
        """Return how each command begins.

        Raises:
            AgentError: `step-failed`: the release has no such settings.
        """
        config = options.text("config")
        path = self._whole(config, "config")
        folder = _seen_from(self._shell.folder, path)
        start = f"cd {shlex.quote(folder)} && {self._program('alembic')}"
        if os.path.basename(config) == "pyproject.toml":
            return start
        return f"{start} -c {shlex.quote(os.path.relpath(path, folder))}"

    def _whole(self, path: str, key: str) -> str:
        whole = os.path.join(self._shell.folder, path)
        if not os.path.isfile(whole):
            raise AgentError(
                "step-failed",
                f"step {self._shell.name!r}: the release has no {path}",
                f"Mend `{key}` in the step's table.",
            )
        return whole

    def _program(self, name: str) -> str:
        return shlex.quote(os.path.join(self._shell.folder, "bin", name))

    def migrate(self) -> None:
        """Run what is left."""
        self._shell.run(f"{self._command('upgrade')} heads")

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
            self._shell.run(f"{self._command('downgrade')} {shlex.quote(target.text('name'))}")
        still = {name for name, _ in self._ask("current")} & set(down.texts("gone"))
        if still:
            raise AgentError(
                "step-failed",
                f"step {self._shell.name!r} ended well, but the database is still at "
                + ", ".join(sorted(still)),
            )

    def _ask(self, what: str) -> list[tuple[str, str]]:
        return _REVISION.findall(self._shell.ask(self._command(what)))

    def _command(self, what: str) -> str:
        return f"{self._start} {what}"


def _seen_from(release: str, path: str) -> str:
    """Return the folder that settings mean their relative paths from; the build finds it likewise.

    Mostly that is their own; else the nearest above in which there is `script_location`.
    """
    own = folder = os.path.dirname(path)
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
        script = parser.get("alembic", "script_location", fallback="")
    except (configparser.Error, UnicodeDecodeError):
        return own
    while script and folder not in (release, "", "/"):
        if os.path.isdir(os.path.join(folder, script)):
            return folder
        folder = os.path.dirname(folder)
    return own
