"""The wire, seen from the host: lines and raw blocks in, lines out."""

from __future__ import annotations

import json
import os
import select
import sys
import time
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .peer import Siblings

_BLOCK = 65_536
_MOST_LINE = 256 * 1024 * 1024
_MOST_AHEAD = 1024 * 1024
# What a pipe that polls as writable takes without blocking (PIPE_BUF on Linux).
_ATOMIC = 4096
_MOST_UNSAID = 65_536


class Gone(Exception):
    """The controller is no longer there."""


class Channel:
    """Requests in and messages out; the only code that touches standard input and output.

    Attributes:
        answering: The number of the request that is being answered.
        about: What events are about, where that is not the archive.
        siblings: How those kept us waiting that were asked for something.
    """

    def __init__(self, source: Any, out: int) -> None:
        self.answering: object = None
        self.about: str | None = None
        self.siblings: Siblings | None = None
        self._source = source
        self._in = source.fileno()
        self._out = out
        self._heard = bytearray()
        self._unsaid = bytearray()
        self._ended = False
        self._deaf = False
        self._dismissed = False
        # What was asked for ahead and has not been taken: from where, and up to where.
        self._ahead: tuple[int, int] | None = None
        # Signals interrupt the thread that began, and no other.
        self._waits = False
        self._thread = get_ident()

    @classmethod
    def take_over(cls) -> Channel:
        """Keep standard output for the protocol: what anything else prints goes to stderr."""
        out = os.dup(1)
        os.dup2(2, 1)
        return cls(sys.stdin.buffer, out)

    def request(self) -> object:
        """Return the next line's JSON value, waiting for it.

        Raises:
            Gone: Standard input ended.
            ValueError: The line is not JSON.
        """
        return json.loads(self._line())

    def dismiss(self) -> None:
        """Take it that the controller is gone, from the next look on; for a signal's handler.

        Raises:
            Gone: Just now it is being waited for.
        """
        self._dismissed = True
        if self._waits:
            raise Gone

    def want(self, start: int, end: int) -> list[tuple[int, int]]:
        """Have the controller send a part of what events are about; `chunks` yields it.

        Returns:
            What comes, from where to where: one or two parts, each of them one `chunks`, which are
            more than the part where that was asked for ahead.

        Raises:
            Gone: Standard input ended.
            ValueError: What came of something else, asked for ahead, is not a chunk.
        """
        parts = []
        ahead = self._ahead
        if ahead is not None and self.about is None and ahead[0] <= start <= ahead[1]:
            self._ahead = None
            parts.append(ahead)
            start = ahead[1]
        else:
            self.drop()
        if start < end:
            # At once, so that the line is not idle between the two.
            self.event("want", offset=start, length=end - start)
            parts.append((start, end))
        return parts

    def want_ahead(self, start: int, end: int) -> None:
        """Have the controller begin to send a part of the archive that will be wanted later.

        What does not fit into the buffers on the way waits there until it is taken.
        """
        self.event("want", offset=start, length=end - start)
        self._ahead = start, end

    def drop(self) -> None:
        """Hear out what was asked for ahead and not taken: the next request comes after it.

        Raises:
            Gone: Standard input ended.
            ValueError: What came is not a chunk.
        """
        if self._ahead is not None:
            self._ahead = None
            for _ in self.chunks():
                continue

    def chunks(self) -> Iterator[bytes]:
        """Yield the raw blocks that the controller sends after a `want`, up to the empty one.

        Raises:
            Gone: Standard input ended.
            ValueError: What came is not a chunk.
        """
        while True:
            header = json.loads(self._line())
            count = header.get("chunk") if isinstance(header, dict) else None
            if type(count) is not int or count < 0:
                raise ValueError("not a chunk")
            if count == 0:
                return
            while count:
                if not self._heard:
                    self._hear()
                block = bytes(self._heard[:count])
                del self._heard[:count]
                count -= len(block)
                yield block

    def other_url(self) -> str | None:
        """Return another URL of what is fetched from the controller, or None if it has none.

        Raises:
            Gone: Standard input ended.
            ValueError: What came is no such answer.
        """
        self.event("renew")
        answer = json.loads(self._line())
        url = answer.get("url", "") if isinstance(answer, dict) else ""
        if url is not None and (not isinstance(url, str) or not url):
            raise ValueError("not a URL")
        return url

    def answer(self, **content: Any) -> None:
        """Close the request with its `result` or `error`."""
        self.send({"id": self.answering, **content})

    def event(self, kind: str, until: float | None = None, **content: Any) -> None:
        """Say something about the request that is being answered; see `send` for `until`."""
        if self.about is not None:
            content["of"] = self.about
        self.send({"id": self.answering, "event": kind, **content}, until)

    def send(self, message: dict[str, Any], until: float | None = None) -> None:
        """Write one message. If nobody listens any more, it is lost without an error.

        Args:
            message: What to say.
            until: When to give up, by `time.monotonic()`, if the controller takes nothing; what
                is left is written before the next message, and if that is much already this one
                is dropped. None waits without end.
        """
        # What nobody takes may pile up only so far; an answer is never left out.
        if until is None or len(self._unsaid) < _MOST_UNSAID:
            self._unsaid += json.dumps(message).encode() + b"\n"
        while self._unsaid and not self._deaf:
            wait = None if until is None else max(until - time.monotonic(), 0)
            if not select.select([], [self._out], [], wait)[1]:
                return
            try:
                written = os.write(self._out, self._unsaid[:_ATOMIC])
            except OSError:
                self._deaf = True
                return
            del self._unsaid[:written]

    def check(self, wait: float = 0) -> None:
        """Look whether the controller is still there, for `wait` seconds.

        Raises:
            Gone: It is not.
        """
        deadline = time.monotonic() + wait
        while not self._deaf and len(self._heard) < _MOST_AHEAD:
            left = max(deadline - time.monotonic(), 0)
            if not select.select([self._in], [], [], left)[0]:
                break
            self._hear()
        if self._deaf or self._dismissed:
            raise Gone

    def _line(self) -> bytes:
        seen = 0
        while (end := self._heard.find(b"\n", seen)) < 0:
            seen = len(self._heard)
            if seen > _MOST_LINE:
                raise Gone
            self._hear()
        with memoryview(self._heard) as heard:
            line = bytes(heard[:end])
        del self._heard[: end + 1]
        return line

    def _hear(self) -> None:
        # The reader that took in the bundle may hold the first bytes after it: `read1` gives
        # those first, then one read of the pipe at a time.
        self._waits = get_ident() == self._thread
        try:
            over = self._ended or self._dismissed
            data = b"" if over else self._source.read1(_BLOCK)
        finally:
            self._waits = False
        if not data:
            self._ended = True
            raise Gone
        self._heard += data
