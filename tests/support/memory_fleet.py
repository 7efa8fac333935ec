"""Hosts inside the test's own process: the real agent on pipes, and faults where a test wants them.

The engine talks to them as to any host, by the protocol, byte for byte; only the process, the login
and the network are missing.
"""

from __future__ import annotations

import json
import os
import select
import threading
from dataclasses import dataclass, field
from typing import Any

from castoff.config.hosts import ResolvedHost
from castoff.releaser.agent.main import PROTOCOL, _answer_one
from castoff.releaser.agent.messages import Channel as AgentSide
from castoff.releaser.agent.messages import Gone
from castoff.releaser.agent.operations import Operations
from castoff.releaser.agent.parameters import Parameters
from castoff.releaser.errors import ChannelClosed, ChannelTimeout, HostUnreachable

_BLOCK = 65_536


class ControllerDied(BaseException):
    """The controller's process ended here; nothing of its own code runs any more."""


@dataclass
class Fault:
    """What goes wrong, once, when a host is asked to do something.

    Attributes:
        host: On which host.
        op: In which operation; `connect` for the connection itself.
        before: Whether the request is lost, or else its answer.
        dies: Whether the controller dies there, or else only the connection.
        struck: Whether it has happened.
    """

    host: str
    op: str
    before: bool
    dies: bool
    struck: bool = False

    def strike(self, host: str, op: str, *, before: bool) -> None:
        """Happen, if this is the place."""
        if self.struck or (self.host, self.op, self.before) != (host, op, before):
            return
        self.struck = True
        raise ControllerDied if self.dies else ChannelClosed


@dataclass
class StruckFleet:
    """Hosts that a fault may meet.

    Attributes:
        fault: What the next operations may meet.
        down: Names of hosts that do not answer at all.
    """

    fault: Fault | None = None
    down: set[str] = field(default_factory=set)

    def reached(self, host: str) -> None:
        """See that a host can be connected to."""
        if host in self.down:
            raise HostUnreachable(host, "no answer", code="unreachable")
        try:
            self.strike(host, "connect", before=True)
        except ChannelClosed as error:
            raise HostUnreachable(host, "no route", code="unreachable") from error

    def strike(self, host: str, op: str, *, before: bool) -> None:
        """Let the fault happen, if there is one and this is its place."""
        if self.fault is not None:
            self.fault.strike(host, op, before=before)


@dataclass
class MemoryFleet(StruckFleet):
    """Connects to agents that are threads."""

    channels: list[MemoryChannel] = field(default_factory=list)

    def connect(self, host: ResolvedHost, timeout: float) -> MemoryChannel:
        """Start an agent for a host."""
        del timeout
        self.reached(host.name)
        channel = MemoryChannel(self, host.name)
        self.channels.append(channel)
        return channel

    def hang_up(self) -> None:
        """End all agents, as the end of a controller does."""
        for channel in self.channels:
            channel.close()
            channel.join()
        self.channels.clear()


class MemoryChannel:
    """The controller's end of two pipes; see `castoff.releaser.transports.base.Channel`."""

    def __init__(self, fleet: MemoryFleet, host: str) -> None:
        self._fleet = fleet
        self._host = host
        self._op = "start"
        requests, self._out = os.pipe()
        self._in, answers = os.pipe()
        self._closed = threading.Lock()
        self._open = True
        self._thread = threading.Thread(target=serve_agent, args=(requests, answers), daemon=True)
        self._thread.start()

    def send(self, data: bytes, *, timeout: float) -> None:
        """Send a request, unless it is the one to be lost."""
        del timeout
        if data.startswith(b'{"id"'):
            self._op = str(json.loads(data)["op"])
            self._fleet.strike(self._host, self._op, before=True)
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._out, view) :]
        except OSError as error:
            raise ChannelClosed from error

    def receive(self, *, timeout: float) -> bytes:
        """Return what the agent says, unless its answer is the one to be lost."""
        if not select.select([self._in], [], [], timeout)[0]:
            raise ChannelTimeout
        data = os.read(self._in, _BLOCK)
        if b'"result"' in data or b'"error"' in data:
            self._fleet.strike(self._host, self._op, before=False)
        if not data:
            raise ChannelClosed
        return data

    def complaints(self) -> str:
        """Return nothing."""
        return ""

    def close(self) -> None:
        """End the agent's input."""
        with self._closed:
            if self._open:
                self._open = False
                os.close(self._out)

    def join(self) -> None:
        """Wait for the agent's end."""
        self._thread.join()
        os.close(self._in)


class _Operations(Operations):
    """All operations, where the modules of built-in steps need not be sent."""

    def perform(self, name: object, parameters: Parameters) -> dict[str, Any]:
        """Do one operation."""
        return {"here": True} if name == "load" else super().perform(name, parameters)


def serve_agent(requests: int, answers: int) -> None:
    with os.fdopen(requests, "rb") as source:
        channel = AgentSide(source, answers)
        operations = _Operations(channel)
        try:
            source.read(int(source.readline()))
            channel.send({"castoff": PROTOCOL, "python": "memory"})
            while True:
                _answer_one(channel, operations)
        except (Gone, ValueError):
            pass
        finally:
            # The lock of an agent that is a process goes with the process.
            if operations._visit is not None:
                operations._visit.end()
            os.close(answers)
