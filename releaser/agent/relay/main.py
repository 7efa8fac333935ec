"""The relay's loop: frames from the controller to hosts, and theirs to the controller."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import tempfile

from . import frames
from .loop import READ, WRITE, Loop
from .shelf import Shelf
from .sibling import Sibling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

_BLOCK = 65_536
# Bytes for the controller beyond which hosts are not read from.
_MOST_AHEAD = 1024 * 1024
_SOON = 0.02
_NO_SSH = "there is no `ssh` here: install the OpenSSH client"


def serve() -> None:
    """Greet, then carry frames until standard input ends."""
    os.umask(0o077)
    for ends in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(ends, lambda *_: sys.exit(1))
    _allow_many_files()
    out = os.dup(1)
    os.dup2(2, 1)
    missing = shutil.which("ssh") is None
    greeting = {"castoff-relay": frames.PROTOCOL, "error": _NO_SSH if missing else None}
    os.write(out, json.dumps(greeting).encode() + b"\n")
    if not missing:
        with Relay(0, out) as relay:
            relay.run()


def _allow_many_files() -> None:
    """Allow as many descriptors as we may have: a host takes five while it is connected to."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):
            return


class Relay:
    """All hosts behind the relay, and the one stream that they share."""

    def __init__(self, source: int, out: int) -> None:
        self._source = source
        self._out = out
        self._loop = Loop()
        self._frames = frames.Frames()
        self._shelf = Shelf()
        self._siblings: dict[int, Sibling] = {}
        self._unsaid = bytearray()
        self._paused = False
        self._over = False
        # Where ssh finds host keys and the socket for signatures; there only while it needs them.
        self._folder: str | None = None
        for descriptor in (source, out):
            os.set_blocking(descriptor, False)

    def __enter__(self) -> Relay:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for sibling in self._siblings.values():
            sibling.end()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def run(self) -> None:
        """Carry until the controller is gone; hosts then hear that their input has ended."""
        self._loop.on(self._source, READ, self._read)
        while not self._over:
            ending = any(sibling.is_ending for sibling in self._siblings.values())
            self._loop.turn(_SOON if ending else None)
            self._clear_away()

    def _clear_away(self) -> None:
        for number, sibling in list(self._siblings.items()):
            if sibling.is_ending and sibling.is_over():
                del self._siblings[number]
        unused = not any(sibling.has_files for sibling in self._siblings.values())
        if self._folder is not None and unused:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _read(self) -> None:
        try:
            data = os.read(self._source, _BLOCK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._over = True
            return
        try:
            for kind, number, body in self._frames.feed(data):
                self._take(kind, number, body)
        except (ValueError, KeyError, TypeError):
            # Whoever talks so is no controller of ours.
            self._over = True

    def _take(self, kind: int, number: int, body: bytes) -> None:
        if kind == frames.KEEP:
            self._shelf.put(body, len(body))
            kind = frames.DATA
        elif kind == frames.AGAIN:
            body = self._shelf.get(frames.number_in(body))
            kind = frames.DATA
        if kind == frames.OPEN:
            self._open(number, json.loads(body))
            return
        # What is for a host that has gone meanwhile comes too late.
        sibling = self._siblings.get(number)
        if sibling is None:
            return
        if kind == frames.DATA:
            sibling.write(body)
        elif kind == frames.TAKEN:
            sibling.taken(frames.number_in(body))
        elif kind == frames.ANSWER:
            sibling.answer(body)
        elif kind == frames.CLOSE:
            sibling.close()

    def _open(self, number: int, opening: dict[str, Any]) -> None:
        def send(kind: int, body: bytes) -> None:
            self._send(kind, number, body)

        try:
            if self._folder is None:
                self._folder = tempfile.mkdtemp(prefix="castoff-relay-")
            stem = os.path.join(self._folder, str(number))
            sibling = Sibling(stem, opening, self._loop, send)
        except OSError as error:
            # Without STARTED, it is the relay that cannot be used.
            said = f"it cannot start ssh: {error.strerror or error}"
            send(frames.END, b"")
            send(frames.GONE, b"255\n" + said.encode())
            return
        send(frames.STARTED, b"")
        sibling.pause(self._paused)
        self._siblings[number] = sibling

    def _send(self, kind: int, number: int, body: bytes) -> None:
        self._unsaid += frames.frame(kind, number, body)
        self._loop.on(self._out, WRITE, self._write)
        self._pause()

    def _write(self) -> None:
        if not self._unsaid:
            return
        try:
            # What hosts have said meanwhile goes together: each piece is a packet on the long line.
            written = os.write(self._out, self._unsaid[:_BLOCK])
        except BlockingIOError:
            return
        except OSError:
            self._over = True
            return
        del self._unsaid[:written]
        if not self._unsaid:
            self._loop.on(self._out, WRITE, None)
        self._pause()

    def _pause(self) -> None:
        paused = len(self._unsaid) > _MOST_AHEAD
        if paused != self._paused:
            self._paused = paused
            for sibling in self._siblings.values():
                sibling.pause(paused)
