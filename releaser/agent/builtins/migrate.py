"""Migrate a database, at most one at a time on this host, and see that nothing is left."""

from __future__ import annotations

from ..command import clean_environment
from ..errors import AgentError
from ..records import is_complete, not_here
from .deadline import Deadline
from .migrate_attempts import ended, note_end
from .migrate_lock import only_one
from .migrate_shell import Shell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..layout import Layout
    from ..messages import Channel
    from ..parameters import Parameters
    from .migrate_alembic import Alembic
    from .migrate_command import Command
    from .migrate_django import Django


def perform(layout: Layout, channel: Channel, parameters: Parameters) -> dict[str, Any]:
    """Run the migrations that are left, or take some back.

    The options are those of the step's table, and what the controller adds to them: `umask`;
    `attempt`
    names this attempt; `after`, one before it of which nobody knows how it ended; `ask_first`,
    whether it is nothing to do if nothing is left; `take_back`, what to go back to.

    Raises:
        AgentError: `step-failed`, `step-timeout`, `missing`, `invalid`.
    """
    options = parameters.part("options")
    version, name = parameters.version("version"), parameters.text("name")
    if not is_complete(layout, version):
        raise not_here(version)
    deadline = Deadline(name, parameters.seconds("timeout"))
    attempt, after = options.text("attempt"), options.text_or_none("after")
    target = options.within("take_back")
    with only_one(layout, channel, deadline) as lock:
        shell = Shell(
            channel,
            folder=layout.release(version),
            environment=clean_environment(layout, version, parameters.variables("env")),
            user=parameters.text_or_none("user"),
            deadline=deadline,
            name=name,
            lock=lock,
            umask=options.text_or_none("umask"),
        )
        tool = _tool(options, shell)
        if any(each is not None and ended(layout, each) for each in (attempt, after)):
            return _nothing_to_do(shell, deadline, "it had ended well before")
        if target is not None:
            tool.take_back(target)
        elif options.flag("ask_first") and tool.left() == []:
            note_end(layout, attempt)
            return _nothing_to_do(shell, deadline, "nothing is left")
        else:
            tool.migrate()
            left = tool.left()
            if left:
                raise AgentError(
                    "step-failed",
                    f"step {name!r} ended well, but these are left: {', '.join(left)}",
                    "Does it migrate the database that the app uses, with all of its settings?",
                )
        note_end(layout, attempt)
    return {"seconds": deadline.spent, "ran": True}


def _nothing_to_do(shell: Shell, deadline: Deadline, why: str) -> dict[str, Any]:
    shell.say(f"not run: {why}\n")
    return {"seconds": deadline.spent, "ran": False}


def _tool(options: Parameters, shell: Shell) -> Django | Alembic | Command:
    preset = options.text_or_none("preset")
    if preset == "django":
        from .migrate_django import Django

        return Django(options, shell)
    if preset == "alembic":
        from .migrate_alembic import Alembic

        return Alembic(options, shell)
    if preset == "flask-migrate":
        from .migrate_flask import FlaskMigrate

        return FlaskMigrate(options, shell)
    from .migrate_command import Command

    return Command(options, shell)
