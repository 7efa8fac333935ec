"""What castoff.toml says of a step that restarts a service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from castoff.config import rules
from castoff.config.errors import Misfit
from castoff.config.http_step import Http
from castoff.config.table import Address, Table, Text
from castoff.config.tcp_step import Tcp

_WAYS = ("systemd", "gunicorn", "uwsgi", "supervisor", "touch", "command")
SignalName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]*$")]
SomeSeconds = Annotated[float, Field(ge=0, le=86_400)]


class SystemdUnit(Table):
    """`[environments.E.steps.restart.systemd]`: a service unit."""

    unit: Address
    # `socket` restarts the service while the units of its sockets go on listening.
    action: Literal["restart", "reload", "reload-or-restart", "socket"] = "restart"
    # Whether it is a unit of a user's own manager (systemctl --user).
    user_manager: bool = False


class Gunicorn(Table):
    """`[environments.E.steps.restart.gunicorn]`: a gunicorn that hands over to a new one."""

    # Like all paths of a restart, from the app's root.
    pid_file: Text
    # Starts it, in `current` or its colour's folder, where it does not run.
    start: Text | None = None


class Uwsgi(Table):
    """`[environments.E.steps.restart.uwsgi]`: a uWSGI whose master reloads itself."""

    pid_file: Text
    # Its `master-fifo`, or its `touch-reload`; default: the master gets HUP.
    fifo: Text | None = None
    touch: Text | None = None
    # Starts it, in `current` or its colour's folder, where it does not run.
    start: Text | None = None

    @model_validator(mode="after")
    def _is_told_one_way(self) -> Uwsgi:
        if self.fifo is not None and self.touch is not None:
            rules.require([Misfit(("touch",), "uWSGI is told by either 'fifo' or 'touch'")])
        return self


class Supervisor(Table):
    """`[environments.E.steps.restart.supervisor]`: programs of a supervisor."""

    # Names, or as in "shop:*".
    programs: Annotated[tuple[Address, ...], Field(min_length=1)]
    # What supervisorctl is told of where supervisor is: its configuration, or its URL.
    config: Text | None = None
    server: Address | None = None
    # Signal that is sent, for programs that then execute themselves anew; default: a restart.
    signal: SignalName | None = None


class Answers(Table):
    """`[environments.E.steps.restart.answers]`: what a restarted service must answer."""

    http: Http | None = None
    tcp: Tcp | None = None

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Answers:
        rules.require(rules.one_of(self, "http", "tcp"))
        return self


class Restart(Table):
    """`[environments.E.steps.restart]`: a service, and how it is restarted.

    Done means that a process of the service runs from the release, that none runs from another
    one, and that it answers.
    """

    systemd: SystemdUnit | None = None
    gunicorn: Gunicorn | None = None
    uwsgi: Uwsgi | None = None
    supervisor: Supervisor | None = None
    # File that is touched.
    touch: Text | None = None
    # Run by /bin/sh -c in the release's directory.
    command: Text | None = None
    # With `touch` and `command`: which processes are meant. Default: all of this app.
    pid_file: Text | None = None
    # A part of their command lines.
    match: Text | None = None
    answers: Answers | None = None
    # Seconds that processes of before have for finishing what they have begun.
    grace: SomeSeconds = 30
    # Seconds that all must stay as it should be.
    settle: SomeSeconds = 1

    @model_validator(mode="after")
    def _restarts_one_thing(self) -> Restart:
        rules.require(_ways(self))
        return self


def _ways(restart: Restart) -> Iterator[Misfit]:
    given = [key for key in _WAYS if getattr(restart, key) is not None]
    if len(given) != 1:
        ways = ", ".join(repr(key) for key in _WAYS[:-1])
        yield Misfit((), f"needs just one of {ways} and {_WAYS[-1]!r}")
    for key in ("pid_file", "match"):
        if getattr(restart, key) is not None and given not in (["touch"], ["command"]):
            yield Misfit((key,), "is only for 'touch' and 'command'; others know their processes")
    if restart.pid_file is not None and restart.match is not None:
        yield Misfit(("match",), "processes are told by either 'pid_file' or 'match'")
