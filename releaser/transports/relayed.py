"""A channel to a host behind a relay."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from castoff.releaser.agent.relay import frames
from castoff.releaser.errors import ChannelClosed, ChannelTimeout
from castoff.releaser.patience import now
from castoff.releaser.transports.ending import ending

if TYPE_CHECKING:
    from castoff.releaser.transports.relay_link import Link

_LAST_WORDS = 0.5
_MOST_LINES = 10
# An ssh waits for each answer before it asks again.
_MOST_ASKED = 16


class RelayedChannel:
    """The agent's command on a host behind a relay; see `Channel`.

    Attributes:
        number: What the relay knows it by.
        started: Whether the relay has begun to connect to the host.
        up: Whether the host has let the relay in.
        said: What ssh said at its end, with what the command wrote to standard error.
        lost: What became of the relay, if it is no longer there.
        detour: Which relays could not be used before this one, and why.
    """

    def __init__(self, link: Link, number: int) -> None:
        self.number = number
        self.started = False
        self.up = False
        self.said = ""
        self.lost = ""
        self.detour = ""
        self._link = link
        self._news = threading.Condition()
        self._asked: deque[bytes] = deque()
        self._inbox: deque[bytes] = deque()
        self._status: int | None = None
        # Bytes that we may send, and bytes of ours that the relay does not know to be taken.
        self._credit = frames.WINDOW
        self._taken = 0
        # Bytes that the relay may send before it is told of any that are taken.
        self._room = frames.WINDOW
        self._ended = False
        self._gone = False
        self._closed = False
        # Gives up the part in the relay.
        self.on_close: Callable[[], None] | None = None

    @property
    def relay(self) -> str:
        """The relay's name."""
        return self._link.name

    def wait_until_up(
        self, answer: Callable[[bytes], bytes], *, start: float, deadline: float
    ) -> bool:
        """Return whether the host has let the relay in; see `said` and `lost` if not.

        Args:
            answer: Called with each request for a signature.
            start: When the relay must have begun, by `patience.now`.
            deadline: When the host must have answered, in the same way.

        Raises:
            ChannelClosed: The relay is gone.
            ChannelTimeout: The host does not answer, or the relay does not.
        """
        while True:
            with self._news:
                self._wait(
                    lambda: bool(self._asked or self.up or self._gone),
                    deadline if self.started else min(start, deadline),
                    or_if=lambda: self.started,
                )
                if self.up or self._gone:
                    return self.up
                request = self._asked.popleft() if self._asked else None
            if request is not None:
                reply = answer(request)
                left = deadline - now()
                self._link.send(frames.ANSWER, self.number, reply, timeout=left)

    def send(self, data: bytes, *, timeout: float) -> None:
        """Write to the command's standard input; see `Channel`."""
        deadline = now() + timeout
        for begin in range(0, len(data), frames.BLOCK):
            block = data[begin : begin + frames.BLOCK]
            with self._news:
                self._wait(lambda: self._credit > 0 or self._ended, deadline)
                if self._ended:
                    raise ChannelClosed
                self._credit -= len(block)
            self._link.send_data(self.number, block, timeout=deadline - now())

    def receive(self, *, timeout: float) -> bytes:
        """Read from the command's standard output; see `Channel`."""
        deadline = now() + timeout
        # What the last time had no turn for: else the relay waits for it, and we for the relay.
        self._tell_taken(deadline)
        with self._news:
            self._wait(lambda: bool(self._inbox or self._ended), deadline, before_loss=True)
            if not self._inbox:
                raise ChannelClosed
            data = b"".join(self._inbox)
            self._inbox.clear()
            self._taken += len(data)
        self._tell_taken(deadline)
        return data

    def _tell_taken(self, deadline: float) -> None:
        with self._news:
            taken = self._taken
            if taken < frames.WINDOW // 4:
                return
            self._taken = 0
            self._room += taken
        body = frames.number(taken)
        try:
            self._link.send(frames.TAKEN, self.number, body, timeout=deadline - now())
        except ChannelTimeout:
            with self._news:
                self._taken += taken
                self._room -= taken
        except ChannelClosed:
            # Whoever is gone says so next time; what it has said before still counts.
            return

    def complaints(self) -> str:
        """Return the last lines of standard error; see `Channel`."""
        with self._news:
            self._news.wait_for(lambda: self._gone or self.lost, _LAST_WORDS)
            lines = self.said.splitlines()[-_MOST_LINES:]
            if self._status is not None:
                lines.append(ending(self._status))
            if self.lost:
                lines.append(self.lost)
        return " / ".join(line.strip() for line in lines if line.strip())

    def close(self) -> None:
        """End the command's input, and give up the part in the relay."""
        with self._news:
            if self._closed:
                return
            self._closed = True
            over = self._gone or bool(self.lost)
            # Whoever waits in another thread, as after an interrupt, would do so until its limit.
            self._news.notify_all()
        self._link.forget(self)
        if not over:
            with suppress(ChannelClosed, ChannelTimeout):
                self._link.send(frames.CLOSE, self.number, timeout=1)
        if self.on_close is not None:
            self.on_close()

    def hear(self, kind: int, body: bytes) -> None:
        """Take what the relay says of the host; called by the link's reader.

        Raises:
            ValueError: A relay says no such thing.
        """
        with self._news:
            if kind == frames.DATA:
                self._take_in(body)
            elif kind == frames.TAKEN:
                self._credit += frames.number_in(body)
            elif kind == frames.ASK:
                self._take_request(body)
            elif kind == frames.STARTED:
                self.started = True
            elif kind == frames.UP:
                self.up = True
            elif kind == frames.END:
                self._ended = True
            elif kind == frames.GONE:
                status, _, said = body.partition(b"\n")
                self._status = int(status)
                self.said = said.decode(errors="replace")
                self._gone = self._ended = True
                self._link.forget(self)
            else:
                raise ValueError("not of a relay")
            self._news.notify_all()

    def _take_in(self, data: bytes) -> None:
        self._room -= len(data)
        if not data or self._room < 0:
            raise ValueError("more than may be under way")
        self._inbox.append(data)

    def _take_request(self, request: bytes) -> None:
        if len(self._asked) == _MOST_ASKED:
            raise ValueError("more than an ssh asks")
        if not self.up:
            self._asked.append(request)

    def lose(self, why: str) -> None:
        """Hear that the relay is gone."""
        with self._news:
            self.lost = why
            self._news.notify_all()

    def _wait(
        self,
        done: Callable[[], bool],
        deadline: float,
        *,
        or_if: Callable[[], bool] = lambda: False,
        before_loss: bool = False,
    ) -> None:
        """Wait for something; what had come before the relay was lost counts if wanted so."""
        began = or_if()

        def over() -> bool:
            return done() or bool(self.lost) or self._closed or or_if() != began

        while not self._news.wait_for(over, max(deadline - now(), 0)):
            # Else it was this process that did not get to run.
            if now() >= deadline:
                raise ChannelTimeout
        if (self.lost or self._closed) and not (before_loss and done()):
            raise ChannelClosed
