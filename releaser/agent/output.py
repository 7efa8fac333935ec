"""A step's output on its way to the controller: by lines, in small events, not without end."""

from __future__ import annotations

import codecs
import json

from .messages import Channel

_MOST_EVENT = 8000
_MOST_LINE = 4000
_MOST_SENT = 2 * 1024 * 1024
# What an event takes beside its text: many short lines are a lot to send, too.
_FRAME = 64
_TAIL = 4000


class Output:
    """Takes bytes and sends `output` events of at most 8 KiB, one a line where lines are short.

    Beyond 2 MiB only the last few thousand characters are passed on, at the end. No line is cut in
    two for that: whoever takes secrets out of lines would not know the halves of one.
    """

    def __init__(self, channel: Channel, until: float) -> None:
        """Take where to send, and until when (`time.monotonic()`) to wait for a slow reader."""
        self._channel = channel
        self._until = until
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line = ""
        self._sent = 0
        self._within_line = False
        self._left_out = 0
        self._tail = ""

    def take(self, data: bytes) -> None:
        """Take the next bytes, whatever they are."""
        self._add(self._decoder.decode(data))

    def close(self) -> None:
        """Send what is left."""
        self._add(self._decoder.decode(b"", final=True))
        self._say(self._line)
        self._line = ""
        if not self._tail:
            return
        if self._within_line or self._left_out:
            cut, _, self._tail = self._tail.partition("\n")
            self._left_out += len(cut)
        if self._within_line:
            self._send("\n")
        if self._left_out:
            self._send(f"[{self._left_out} characters of output were left out here]\n")
        self._send(self._tail)

    def _add(self, text: str) -> None:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._say(line + "\n")
        if len(self._line) > _MOST_LINE:
            self._say(self._line)
            self._line = ""

    def _say(self, text: str) -> None:
        most = 2 * _MOST_SENT if self._within_line else _MOST_SENT
        if self._sent < most and not self._tail:
            self._sent += len(text) + _FRAME
            self._within_line = not text.endswith("\n")
            self._send(text)
            return
        held = self._tail + text
        self._tail = held[-_TAIL:]
        self._left_out += len(held) - len(self._tail)

    def _send(self, text: str) -> None:
        if not text:
            return
        if len(json.dumps(text)) > _MOST_EVENT:
            middle = len(text) // 2
            self._send(text[:middle])
            self._send(text[middle:])
            return
        self._channel.event("output", self._until, text=text)
