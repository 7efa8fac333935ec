"""The ends of log files of all hosts, and what is added to them."""

from __future__ import annotations

import secrets
import shlex
import threading
from collections.abc import Callable
from dataclasses import dataclass

from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import (
    ChannelClosed,
    ChannelTimeout,
    CommandFailed,
    HostError,
    HostUnreachable,
)
from castoff.releaser.job import Scope
from castoff.releaser.on_each import on_each
from castoff.releaser.transports.base import Channel
from castoff.releaser.transports.connect import starter
from castoff.releaser.turns import Turns

# How long a host that is only listened to may be silent before we look whether we still listen.
_LOOK = 0.5

Say = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read on each host.

    Attributes:
        files: Paths, absolute or below the app's `shared/`.
        unit: Unit of systemd whose journal is read instead, or None.
        lines: How many lines of what is there already.
        follow: Whether to go on with what is added.
    """

    files: tuple[str, ...]
    unit: str | None
    lines: int
    follow: bool


def read_logs(scope: Scope, wanted: Wanted, say: Say) -> None:
    """Pass on the logs of all hosts; with `follow`, until interrupted or all hosts are gone.

    Args:
        scope: Whose hosts.
        wanted: What to read.
        say: Called from many threads with a host's name and a line.

    Raises:
        CommandFailed: Some host could not be reached, or could not read what was wanted.
    """
    start, limit = starter(scope.hosts), scope.environment.limits.connect
    # Another each time, so that no line of a log can be taken for it.
    mark = f"castoff-end-{secrets.token_hex(8)}"
    over, turns = threading.Event(), Turns(scope.environment.fan_out)

    def read_one(host: ResolvedHost) -> None:
        with turns.taken(host.name):
            channel = start(host, shell_command(wanted, host.root, mark), limit)
        try:
            _pass_on(host, channel, say, over, mark)
        finally:
            channel.close()

    try:
        failures = on_each(scope.hosts, read_one).failures
    finally:
        over.set()
        turns.stop()
    if failures:
        raise CommandFailed("not all logs could be read", failures)


def shell_command(wanted: Wanted, root: str, mark: str) -> str:
    """Return the command that reads the logs of one host, for any login shell.

    Args:
        wanted: What to read.
        root: Folder of the app on the host.
        mark: Begins the last line, which has the exit status after it, unless logs are followed.
    """
    read = _reading(wanted, root)
    if wanted.follow:
        # What follows ends with its standard input: with the connection.
        # The blank keeps csh from taking the mark before it for history.
        script = f"({read}) 2>&1 & reader=$! && cat >/dev/null; kill $reader"
    else:
        # A log need not end with a newline, but the mark must begin a line.
        script = f"({read}) 2>&1; status=$?; echo; echo '{mark} '$status"
    return f"/bin/sh -c {shlex.quote(script)}"


def _reading(wanted: Wanted, root: str) -> str:
    if wanted.unit is not None:
        follow = " -f" if wanted.follow else ""
        unit = shlex.quote(wanted.unit)
        return f"exec journalctl --no-pager -n {wanted.lines}{follow} -u {unit}"
    folder = f'"$HOME"/{shlex.quote(root[2:])}' if root.startswith("~/") else shlex.quote(root)
    files = shlex.join(wanted.files)
    follow = " -F" if wanted.follow else ""
    return f"cd {folder}/shared && exec tail -n {wanted.lines}{follow} -- {files}"


def _pass_on(
    host: ResolvedHost, channel: Channel, say: Say, over: threading.Event, mark: str
) -> None:
    end = f"{mark} ".encode()
    heard = bytearray()
    # The line before the mark is empty unless the log's last one had no end: it is not the log's.
    empty = False
    while not over.is_set():
        try:
            heard += channel.receive(timeout=_LOOK)
        except ChannelTimeout:
            continue
        except ChannelClosed as error:
            raise HostUnreachable(
                host.name, f"the connection ended: {channel.complaints()}", code="lost"
            ) from error
        *lines, rest = heard.split(b"\n")
        heard = bytearray(rest)
        for line in lines:
            if line.startswith(end):
                status = line.removeprefix(end).decode(errors="replace")
                if status != "0":
                    raise HostError(host.name, f"reading ended with status {status}")
                return
            if empty:
                say(host.name, "")
            empty = not line
            if not empty:
                say(host.name, line.decode(errors="replace"))
