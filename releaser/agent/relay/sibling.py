"""One host behind the relay: its ssh, and what is under way to it and from it."""

from __future__ import annotations

import os
import subprocess
import time
from collections import deque
from contextlib import suppress

from . import frames
from .keys import KeySocket
from .loop import READ, WRITE, Loop
from .openssh import FAREWELL, LET_IN, VARIABLES, argv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MOST_SAID = 16_384
# What an ssh gets whose input has ended, before it is told to end.
_GRACE = 2.0


class Sibling:
    """A host, from OPEN to GONE.

    Args:
        stem: Path of its private files, without what tells them apart.
        opening: The fields of OPEN.
        loop: Waits for its descriptors.
        send: Takes a kind and a body for the controller.
    """

    def __init__(
        self, stem: str, opening: dict[str, Any], loop: Loop, send: Callable[[int, bytes], None]
    ) -> None:
        self._loop = loop
        self._send = send
        self._to_write: deque[bytes] = deque()
        # Bytes that we may send to the controller, and bytes that it does not know to be written.
        self._credit = frames.WINDOW
        self._written = 0
        self._said = bytearray()
        self._up = False
        self._paused = False
        self._kill_at: float | None = None
        self._known = stem + ".known"
        self._keys: KeySocket | None = None
        try:
            write_private(self._known, opening["known"])
            if opening["keys"]:
                self._keys = KeySocket(stem + ".keys", loop, lambda data: send(frames.ASK, data))
            self._process = _start(opening, self._known, stem + ".keys")
            self._in, self._out, self._err = _descriptors(self._process)
        except BaseException:
            self._tidy()
            raise
        self._pipes = {self._in, self._out, self._err}
        self._loop.on(self._out, READ, self._read)
        self._loop.on(self._err, READ, self._listen)

    @property
    def has_files(self) -> bool:
        """Whether its private files are still needed: until the host has let us in."""
        return bool(self._known)

    def write(self, data: bytes) -> None:
        """Take what is to go to the command's standard input."""
        if self._in in self._pipes and self._kill_at is None:
            self._to_write.append(data)
            self._loop.on(self._in, WRITE, self._write)

    def taken(self, count: int) -> None:
        """Hear that the controller has taken so many bytes more."""
        self._credit += count
        self._watch()

    def answer(self, data: bytes) -> None:
        """Pass on an answer to an ASK."""
        if self._keys is not None:
            self._keys.answer(data)

    def pause(self, paused: bool) -> None:
        """Read no more for now, or go on."""
        self._paused = paused
        self._watch()

    def close(self) -> None:
        """End the command's input after what is under way to it; then ssh, if it does not end."""
        if self._kill_at is None:
            self._kill_at = time.monotonic() + _GRACE
            # Nobody wants any more what comes from there, but it must be able to end.
            self._credit = frames.WINDOW
            self._watch()
            if not self._to_write:
                self._shut(self._in)

    def is_over(self) -> bool:
        """Whether it is; tells the controller of it, once."""
        if self._kill_at is not None and time.monotonic() >= self._kill_at:
            self._kill_at += _GRACE
            self._process.terminate()
        if self._out in self._pipes or self._err in self._pipes:
            return False
        status = self._process.poll()
        if status is None:
            return False
        self._shut(self._in)
        self._tidy()
        head = f"{status}\n".encode()
        self._send(frames.GONE, head + bytes(self._said))
        return True

    @property
    def is_ending(self) -> bool:
        """Whether it should be looked at soon, without anything to read."""
        return self._kill_at is not None or self._out not in self._pipes

    def end(self) -> None:
        """Let go of everything at once."""
        if self._process.poll() is None:
            self._process.terminate()
        for descriptor in list(self._pipes):
            self._shut(descriptor)
        self._tidy()

    def _write(self) -> None:
        if not self._to_write:
            return
        try:
            written = os.write(self._in, self._to_write[0])
        except BlockingIOError:
            return
        except OSError:
            self._to_write.clear()
            self._shut(self._in)
            return
        rest = self._to_write.popleft()[written:]
        if rest:
            self._to_write.appendleft(rest)
        self._written += written
        if self._written >= frames.WINDOW // 4:
            self._send(frames.TAKEN, frames.number(self._written))
            self._written = 0
        if not self._to_write:
            self._loop.on(self._in, WRITE, None)
            if self._kill_at is not None:
                self._shut(self._in)

    def _read(self) -> None:
        data = _read(self._out, min(frames.BLOCK, self._credit))
        if data is None:
            return
        if not data:
            self._shut(self._out)
            self._send(frames.END, b"")
        elif self._kill_at is None:
            self._let_in()
            self._credit -= len(data)
            self._send(frames.DATA, data)
            self._watch()

    def _listen(self) -> None:
        data = _read(self._err, frames.BLOCK)
        if data is None:
            return
        if not data:
            self._shut(self._err)
        self._said += data
        if not self._up and any(line.startswith(LET_IN) for line in self._said.splitlines()):
            self._let_in()
        kept = [
            line
            for line in self._said.splitlines(keepends=True)
            if not line.startswith((LET_IN, *FAREWELL))
        ]
        self._said = bytearray(b"".join(kept)[-_MOST_SAID:])

    def _let_in(self) -> None:
        if not self._up:
            self._up = True
            self._tidy()
            self._send(frames.UP, b"")

    def _watch(self) -> None:
        if self._out in self._pipes:
            wanted = self._credit > 0 and not self._paused
            self._loop.on(self._out, READ, self._read if wanted else None)

    def _shut(self, descriptor: int) -> None:
        if descriptor in self._pipes:
            self._pipes.remove(descriptor)
            self._loop.forget(descriptor)
            os.close(descriptor)

    def _tidy(self) -> None:
        if self._known:
            with suppress(OSError):
                os.unlink(self._known)
            self._known = ""
        if self._keys is not None:
            self._keys.close()
            self._keys = None


def write_private(path: str, text: str) -> None:
    """Write a file that nobody else may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _start(opening: dict[str, Any], known: str, keys: str) -> subprocess.Popen[bytes]:
    words = argv(
        opening["address"],
        opening["command"],
        user=opening["user"],
        port=opening["port"],
        alias=opening["alias"],
        known=known,
        agent=keys if opening["keys"] else None,
        seconds=opening["seconds"],
    )
    return subprocess.Popen(
        words,
        bufsize=0,
        env={**os.environ, **VARIABLES},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def _descriptors(process: subprocess.Popen[bytes]) -> list[int]:
    """Return our descriptors for a process's pipes; where there are no more, it ends."""
    found: list[int] = []
    try:
        for pipe in (process.stdin, process.stdout, process.stderr):
            found.append(_descriptor(pipe))  # noqa: PERF401 (those before a failure are closed)
    except OSError:
        for descriptor in found:
            os.close(descriptor)
        process.kill()
        process.wait()
        raise
    return found


def _descriptor(pipe: Any) -> int:
    """Return a descriptor of our own for a pipe, so that nobody else closes it."""
    descriptor = os.dup(pipe.fileno())
    pipe.close()
    os.set_blocking(descriptor, False)
    return descriptor


def _read(descriptor: int, most: int) -> bytes | None:
    """Return what there is to read, empty at the end; None if there is nothing now."""
    try:
        return os.read(descriptor, most)
    except BlockingIOError:
        return None
    except OSError:
        return b""
