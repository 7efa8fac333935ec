"""Drive the real agent over pipes, started by the very command that hosts run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from castoff.releaser.bundle import bootstrap, bundle

Message = dict[str, Any]


class AgentFailure(Exception):
    """The agent answered with an error."""

    def __init__(self, error: Message) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: str = error["code"]
        self.message: str = error["message"]
        self.hint: str = error["hint"]


class AgentGone(Exception):
    """The agent ended before it answered."""


class AgentClient:
    """One agent process.

    Attributes:
        heard: Every byte that it wrote to standard output.
        events: The events of the request that was asked last.
        on_event: Called with each event when it comes.
        patch: Given when parts of a patch are wanted.
        table: Given when parts of a file table are wanted; if there is none, the archive is.
        urls: Told one after the other when another URL is asked for; none once they are used up.
    """

    def __init__(
        self,
        python: str = sys.executable,
        env: dict[str, str] | None = None,
        source: bytes | None = None,
    ) -> None:
        source = bundle() if source is None else source
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {bootstrap(python)}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Whoever runs the tests over SSH has an address that means nothing to the agent.
            env={**os.environ, "no_proxy": "*", "SSH_CONNECTION": "", **(env or {})},
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._in, self._out = self.process.stdin, self.process.stdout
        self.heard = bytearray()
        self.events: list[Message] = []
        self.on_event: Callable[[Message], None] = lambda _: None
        self.urls: list[str] = []
        self.patch = b""
        self.table = b""
        self._number = 0
        self.write(f"{len(source)}\n".encode() + source)
        self.greeting = self.read()

    def ask(self, op: str, *, archive: bytes = b"", **parameters: Any) -> Message:
        """Ask, give `archive` when it is wanted, and return the result."""
        self.post(op, **parameters)
        return self.answer(archive)

    def post(self, op: str, **parameters: Any) -> None:
        """Send a request without waiting."""
        self._number += 1
        self.events = []
        request = {"id": self._number, "op": op, **parameters}
        self.write(json.dumps(request).encode() + b"\n")

    def answer(self, archive: bytes = b"") -> Message:
        """Wait for the answer to the request that was sent last."""
        while True:
            message = self.read()
            assert message["id"] == self._number
            if "result" in message:
                return dict(message["result"])
            if "error" in message:
                raise AgentFailure(message["error"])
            self.events.append(message)
            self.on_event(message)
            if message["event"] == "want":
                others = {"patch": self.patch, "table": self.table or archive}
                wanted = others.get(message.get("of", ""), archive)
                self.give(wanted[message["offset"] :][: message["length"]])
            if message["event"] == "renew":
                self.write(json.dumps({"url": self.urls.pop(0) if self.urls else None}).encode())
                self.write(b"\n")

    def give(self, data: bytes) -> None:
        """Send bytes in two chunks and the closing one."""
        middle = len(data) // 2
        for block in (data[:middle], data[middle:]):
            if block:
                self.write(b'{"chunk": %d}\n' % len(block) + block)
        self.write(b'{"chunk": 0}\n')

    def write(self, data: bytes) -> None:
        """Write to the agent's standard input."""
        try:
            self._in.write(data)
            self._in.flush()
        except BrokenPipeError:
            raise AgentGone from None

    def read(self) -> Message:
        """Return its next message."""
        line = self._out.readline()
        self.heard += line
        if not line:
            raise AgentGone
        return dict(json.loads(line))

    def hang_up(self) -> None:
        """End its standard input."""
        self._in.close()

    def wait(self) -> int:
        """Wait for its end; return the exit status."""
        return self.process.wait(timeout=60)

    @property
    def output(self) -> str:
        """Everything that was printed so far, one `output` event after the other."""
        return "".join(e["text"] for e in self.events if e["event"] == "output")

    def close(self) -> bytes:
        """End it if it still runs, and return what it wrote to standard error."""
        if not self._in.closed:
            with suppress(BrokenPipeError):
                self._in.close()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.stderr is not None
        complaints = self.process.stderr.read()
        self.process.stderr.close()
        self._out.close()
        return complaints


@contextmanager
def agent(
    root: Path | None = None, *, python: str = sys.executable, **opening: Any
) -> Iterator[AgentClient]:
    """Start an agent and, with a `root`, open the app there with the host's lock taken.

    What the agent wrote to standard error is a fault: it is to have nothing to say there.
    """
    client = AgentClient(python)
    try:
        if root is not None:
            client.ask("open", **open_request(root, **opening))
        yield client
    except BaseException:
        client.close()
        raise
    assert client.close() == b""


def open_request(root: Path | str, **changes: Any) -> dict[str, Any]:
    """Return the parameters of an `open` request."""
    return {
        "app": "shop",
        "root": str(root),
        "token": 1,
        "owner": "ann@desk",
        "lock": True,
        "target": None,
        "need": 0,
        "python": None,
        **changes,
    }
