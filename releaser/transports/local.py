"""The `local` transport: the agent as a subprocess of the controller, without SSH."""

from __future__ import annotations

import os
import selectors
import subprocess
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import IO, TypeVar

from castoff.releaser.errors import ChannelClosed, ChannelTimeout
from castoff.releaser.patience import now

_BLOCK = 65_536
_GRACE = 5.0
_SLICE = 0.5

T = TypeVar("T")


class LocalChannel:
    """A shell command's pipes. Its standard error is drained by a thread of its own."""

    def __init__(self, command: str) -> None:
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        # By descriptor, because a pipe's file object would buffer what must go out at once.
        self._in, self._out = _descriptor(self._process.stdin), _descriptor(self._process.stdout)
        self._closed = False
        self._use = {
            event: threading.Lock() for event in (selectors.EVENT_READ, selectors.EVENT_WRITE)
        }
        self._stderr: deque[str] = deque(maxlen=10)
        self._drain = threading.Thread(target=self._read_stderr, daemon=True)
        self._drain.start()
        os.set_blocking(self._in, False)

    def send(self, data: bytes, *, timeout: float) -> None:
        """Write to the agent's standard input; see `Channel`."""
        view = memoryview(data)
        while view:
            try:
                write = partial(os.write, self._in, view[:_BLOCK])
                written = self._when(selectors.EVENT_WRITE, write, timeout)
            except BlockingIOError:
                continue
            except OSError as error:
                raise ChannelClosed from error
            view = view[written:]

    def receive(self, *, timeout: float) -> bytes:
        """Read from the agent's standard output; see `Channel`."""
        data = self._when(selectors.EVENT_READ, lambda: os.read(self._out, _BLOCK), timeout)
        if not data:
            raise ChannelClosed
        return data

    def complaints(self) -> str:
        """Return the last lines of standard error; see `Channel`."""
        self._drain.join(timeout=1)
        return " / ".join(self._stderr)

    def close(self) -> None:
        """Close standard input and wait a little; a step that still runs is left to end."""
        self._closed = True
        ends = {
            selectors.EVENT_WRITE: self._process.stdin,
            selectors.EVENT_READ: self._process.stdout,
        }
        for event, pipe in ends.items():
            # Its number may be another's at once: nobody may be about to use it.
            with self._use[event]:
                if pipe is not None:
                    pipe.close()
        try:
            self._process.wait(timeout=_GRACE)
        except subprocess.TimeoutExpired:
            return
        self._drain.join(timeout=_GRACE)

    def _when(self, event: int, do: Callable[[], T], timeout: float) -> T:
        descriptor = self._in if event == selectors.EVENT_WRITE else self._out
        deadline = now() + timeout
        # In slices: whoever closes the channel in another thread waits for one of them.
        while True:
            left = max(deadline - now(), 0)
            with self._use[event], selectors.DefaultSelector() as selector:
                if self._closed:
                    raise ChannelClosed
                selector.register(descriptor, event)
                if selector.select(min(left, _SLICE)):
                    return do()
            if now() >= deadline:
                raise ChannelTimeout

    def _read_stderr(self) -> None:
        if self._process.stderr is None:
            return
        with self._process.stderr as stream:
            for line in stream:
                self._stderr.append(line.decode(errors="replace").rstrip())


def _descriptor(pipe: IO[bytes] | None) -> int:
    if pipe is None:
        raise ChannelClosed
    return pipe.fileno()
