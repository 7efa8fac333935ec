"""A conversation with one host's agent: start it, ask, and get typed answers or errors."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from castoff.releaser.bundle import bundle, loader
from castoff.releaser.errors import (
    ChannelClosed,
    ChannelTimeout,
    HostError,
    HostTimeout,
    HostUnreachable,
)
from castoff.releaser.patience import now
from castoff.releaser.replies import R, parse
from castoff.releaser.secrets.conceal import Redact, as_it_is, concealing
from castoff.releaser.startup import not_started

if TYPE_CHECKING:
    from castoff.config.hosts import ResolvedHost
    from castoff.releaser.transports.base import Channel
    from castoff.releaser.transports.connect import Connect

PROTOCOL = 1
_MOST_NOISE = 1024 * 1024
_MOST_LINE = 16 * 1024 * 1024
_LAST_WORDS = 0.5
# Texts of a request that together have as many characters are sent to so few hosts at once: file
# tables of large trees for a thousand hosts would fill this machine's memory.
_LONG = 65_536
_LONG_AT_ONCE = threading.BoundedSemaphore(32)

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Given:
    """Something that the agent may want from us.

    Attributes:
        read: Yields so many bytes of it from an offset; None where we do not give it.
        url: Returns another URL of it, when the one that the agent has expired; or None.
    """

    read: Callable[[int, int], Iterator[bytes]] | None = None
    url: Callable[[], str | None] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What accompanies a request: its time limit and what to do with what comes before the answer.

    Attributes:
        timeout: Seconds until the answer must be here.
        on_event: Called with each `progress` and `output` event.
        archive: The archive, or in a restore the back-up.
        patch: The patch.
        table: The file table.
    """

    timeout: float
    on_event: Callable[[Event], None] | None = None
    archive: Given = Given()
    patch: Given = Given()
    table: Given = Given()


class AgentSession:
    """One agent process on one host, used by one thread at a time."""

    def __init__(self, host: ResolvedHost, channel: Channel, *, redact: Redact = as_it_is) -> None:
        self.host = host
        self._redact = redact
        self._channel = channel
        self._buffer = bytearray()
        self._requests = 0
        self._heard = bytearray()
        # Whether the code of built-in steps has followed the agent.
        self.has_built_ins = False

    @classmethod
    def start(
        cls,
        host: ResolvedHost,
        connect: Connect,
        *,
        timeout: float,
        redact: Redact = as_it_is,
    ) -> AgentSession:
        """Connect, send the agent over if the host has not kept it, and wait for its greeting.

        Args:
            host: The host.
            connect: How it is reached.
            timeout: Seconds.
            redact: Takes secrets from the texts of all errors that come from there.

        Raises:
            HostUnreachable: No connection, no login, or no Python that can run the agent.
            HostKeyRejected: The host's key is unknown or has changed.
        """
        deadline = now() + timeout
        session = cls(host, connect(host, timeout), redact=redact)
        try:
            source = loader(host.root)
            session._send(f"{len(source)}\n".encode() + source, deadline)
            session._greeting(deadline)
        except BaseException:
            session.close()
            raise
        return session

    def ask(self, kind: type[R], op: str, asked: Asked, **parameters: Any) -> R:
        """Send a request and return its result as `kind`.

        Raises:
            HostError: The agent answered with an error.
            HostTimeout: The answer did not come in time; what was done is not known.
            HostUnreachable: The connection was lost; what was done is not known.
        """
        self._requests += 1
        number = self._requests
        deadline = now() + asked.timeout
        request = {"id": number, "op": op, **parameters}
        with concealing(self._redact):
            with _turn_of(parameters):
                self._send(json.dumps(request).encode() + b"\n", deadline)
            return parse(kind, self._result(number, asked, deadline, op), host=self.host.name)

    def foretell(self, op: str, *, by_url: bool, timeout: float) -> None:
        """Have the agent load now what a later request will need; nobody waits for its answer.

        Args:
            op: What will be asked.
            by_url: Whether the agent will fetch from a URL.
            timeout: Seconds.

        Raises:
            HostUnreachable: The connection was lost.
        """
        request = {"id": 0, "op": "expect", "what": op, "by_url": by_url}
        self._send(json.dumps(request).encode() + b"\n", now() + timeout)

    def conceal_by(self, redact: Redact) -> None:
        """Have secrets taken from the texts of all errors that come from there from now on."""
        self._redact = redact

    def _result(self, number: int, asked: Asked, deadline: float, op: str) -> Any:
        while True:
            message = self._message(deadline, doing=op)
            if message.get("id") != number:
                continue
            if "result" in message:
                return message["result"]
            if "error" in message:
                raise self._error(message["error"])
            self._event(message, asked, deadline)

    @property
    def detour(self) -> str:
        """Why the host was not reached by way of its relay; empty if it was, or has none."""
        return getattr(self._channel, "detour", "")

    def close(self) -> None:
        """End the agent's input, upon which it leaves; never raises."""
        self._channel.close()

    def _event(self, message: Event, asked: Asked, deadline: float) -> None:
        others = {"patch": asked.patch, "table": asked.table}
        given = others.get(str(message.get("of")), asked.archive)
        if message.get("event") == "want":
            if given.read is not None:
                wanted = int(message.get("offset", 0)), int(message.get("length", 0))
                for block in given.read(*wanted):
                    self._send(f'{{"chunk": {len(block)}}}\n'.encode() + block, deadline)
            self._send(b'{"chunk": 0}\n', deadline)
        elif message.get("event") == "renew":
            url = None if given.url is None else given.url()
            self._send(json.dumps({"url": url}).encode() + b"\n", deadline)
        elif asked.on_event is not None:
            asked.on_event(message)

    def _error(self, error: Event) -> HostError:
        return HostError(
            self.host.name,
            str(error.get("message", "failed without a message")),
            code=str(error.get("code", "internal")),
            hint=str(error.get("hint", "")),
        )

    def _greeting(self, deadline: float) -> None:
        while len(self._heard) < _MOST_NOISE:
            line = self._line(deadline, doing="start")
            self._heard += line + b"\n"
            try:
                message = json.loads(line)
            except ValueError:
                continue
            said = message.get("castoff") if isinstance(message, dict) else None
            if said == PROTOCOL:
                return
            if said == "agent":
                self._send(bundle(), deadline)
        raise HostUnreachable(
            self.host.name, "the login shell prints without end before the agent starts"
        )

    def _message(self, deadline: float, *, doing: str) -> Event:
        line = self._line(deadline, doing=doing)
        try:
            message = json.loads(line)
        except ValueError as error:
            raise HostUnreachable(
                self.host.name, f"the agent's channel carries something else: {line[:80]!r}"
            ) from error
        return message if isinstance(message, dict) else {}

    def _line(self, deadline: float, *, doing: str) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > _MOST_LINE:
                raise HostUnreachable(self.host.name, "the agent's channel carries no lines")
            try:
                self._buffer += self._channel.receive(timeout=_left(deadline))
            except ChannelTimeout as error:
                # Else it was this process that did not get to run.
                if now() >= deadline:
                    raise self._timeout(doing) from error
            except ChannelClosed as error:
                raise self._lost(doing) from error
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _send(self, data: bytes, deadline: float) -> None:
        try:
            self._channel.send(data, timeout=_left(deadline))
        except ChannelTimeout as error:
            raise self._timeout("send") from error
        except ChannelClosed as error:
            raise self._lost("send") from error

    def _timeout(self, doing: str) -> HostTimeout:
        return HostTimeout(
            self.host.name,
            f"no answer in time ({doing})",
            code="timeout",
            hint="Raise the limit in [environments.*.limits] or the step's `timeout`, "
            "or see what keeps the host.",
        )

    def _lost(self, doing: str) -> HostUnreachable:
        if self._requests == 0:
            self._hear_out()
            heard = bytes(self._heard + self._buffer).decode(errors="replace")
            return not_started(self.host, heard, self._channel.complaints())
        complaints = self._channel.complaints()
        return HostUnreachable(
            self.host.name,
            f"connection lost ({doing})" + (f": {complaints}" if complaints else ""),
            code="lost",
        )

    def _hear_out(self) -> None:
        """Take in what a command said before it ended; a shell that refuses says why there."""
        with suppress(ChannelClosed, ChannelTimeout):
            while len(self._buffer) < _MOST_NOISE:
                self._buffer += self._channel.receive(timeout=_LAST_WORDS)


def encode(data: bytes) -> str:
    """Return bytes as they travel in a request."""
    return base64.b64encode(data).decode()


def _turn_of(parameters: Mapping[str, Any]) -> AbstractContextManager[object]:
    """Return what a request has to wait for before it is put into words."""
    length = sum(len(value) for value in parameters.values() if isinstance(value, str))
    return _LONG_AT_ONCE if length >= _LONG else nullcontext()


def _left(deadline: float) -> float:
    return max(deadline - now(), 0.001)
