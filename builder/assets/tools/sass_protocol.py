"""A client of the embedded Sass protocol, version 3, over a compiler's pipes.

The protocol is specified in the Sass project's `spec/embedded-protocol.md`: packets of a varint
length, a varint compilation id, and a protocol buffer. One compiler process serves all files,
which saves its start for each, and reports errors as data, with their places.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
from contextlib import suppress
from typing import IO, Any

from castoff.builder.assets.errors import AssetError

_CONTINUES = 0x80


class SassProcess:
    """One running compiler.

    Attributes:
        messages: The module of generated message classes.
    """

    def __init__(self, command: list[str], messages: Any) -> None:
        self.messages = messages
        self._lock = threading.Lock()
        self._next = 1
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log
        )

    def compile(self, request: Any) -> tuple[Any, list[Any]]:
        """Return the answer to a compile request, and the log events before it.

        Raises:
            AssetError: The compiler died or broke the protocol.
        """
        with self._lock:
            number = self._next
            self._next += 1
            message = self.messages.InboundMessage(compile_request=request)
            body = _varint(number) + message.SerializeToString()
            with suppress(BrokenPipeError):  # what it said before it died is told below
                self._pipe(self._process.stdin).write(_varint(len(body)) + body)
                self._pipe(self._process.stdin).flush()
            events: list[Any] = []
            while True:
                answer = self._receive()
                kind = answer.WhichOneof("message")
                if kind == "compile_response":
                    return answer.compile_response, events
                if kind == "log_event":
                    events.append(answer.log_event)
                else:
                    raise AssetError(f"The Sass compiler answered with {kind}: {answer}")

    def close(self) -> None:
        """End the process."""
        with suppress(BrokenPipeError):
            self._pipe(self._process.stdin).close()
        self._process.wait()
        self._pipe(self._process.stdout).close()
        self._log.close()

    def _receive(self) -> Any:
        output = self._pipe(self._process.stdout)
        packet = self._exactly(output, self._read_varint(output))
        start = next(index for index, byte in enumerate(packet) if byte < _CONTINUES) + 1
        message = self.messages.OutboundMessage()
        message.ParseFromString(packet[start:])
        return message

    def _read_varint(self, stream: IO[bytes]) -> int:
        value = shift = 0
        while True:
            byte = self._exactly(stream, 1)[0]
            value |= (byte & (_CONTINUES - 1)) << shift
            if byte < _CONTINUES:
                return value
            shift += 7

    def _exactly(self, stream: IO[bytes], size: int) -> bytes:
        data = stream.read(size)
        if len(data) < size:
            self._log.seek(0)
            tail = self._log.read()[-500:].decode(errors="replace").strip()
            raise AssetError(f"The Sass compiler died: {tail or 'it said nothing'}")
        return data

    @staticmethod
    def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
        if stream is None:
            raise AssertionError("the process was started with pipes")
        return stream


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= _CONTINUES:
        out.append(value & (_CONTINUES - 1) | _CONTINUES)
        value >>= 7
    out.append(value)
    return bytes(out)
