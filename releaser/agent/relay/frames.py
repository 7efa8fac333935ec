"""How the controller and its relay talk: frames, each about one host behind the relay.

docs/reference/agent-protocol.md describes them. The controller reads this module too.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PROTOCOL = 1

# To the relay.
OPEN = 1
KEEP = 2
AGAIN = 3
CLOSE = 4
ANSWER = 5
# Both ways.
DATA = 6
TAKEN = 7
# From the relay.
UP = 8
ASK = 9
END = 10
GONE = 11
STARTED = 12

# Bytes of DATA that may be under way to a host, and from it, before they are TAKEN.
WINDOW = 262_144
# Bytes of one frame of DATA.
BLOCK = 32_768
# Shorter ones are cheaper to send again than to look for.
LEAST_KEPT = 1_024
# Bytes that the relay keeps of what was sent to one host, for others that are sent the same.
MOST_KEPT = 16 * 1024 * 1024
# An OPEN has a command and host keys, and an ANSWER may have all keys of somebody's SSH agent.
_MOST_BODY = 1024 * 1024
_HEAD = struct.Struct(">BII")


def frame(kind: int, host: int, body: bytes = b"") -> bytes:
    """Return a frame as it travels: kind, the host's number and the body's length, the body."""
    return _HEAD.pack(kind, host, len(body)) + body


def number(value: int) -> bytes:
    """Return the body of TAKEN and AGAIN."""
    return struct.pack(">I", value)


def number_in(body: bytes) -> int:
    """Return what `number` put in.

    Raises:
        ValueError: It is no such body.
    """
    if len(body) != 4:  # noqa: PLR2004 (bytes of ">I")
        raise ValueError("not a number")
    return int.from_bytes(body, "big")


class Frames:
    """Takes in bytes as they come, and gives out whole frames."""

    def __init__(self) -> None:
        self._heard = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Yield kind, host and body of each frame that `data` completes.

        Raises:
            ValueError: What came is no frame.
        """
        self._heard += data
        begin = 0
        while len(self._heard) - begin >= _HEAD.size:
            kind, host, length = _HEAD.unpack_from(self._heard, begin)
            if length > _MOST_BODY:
                raise ValueError("not a frame")
            end = begin + _HEAD.size + length
            if len(self._heard) < end:
                break
            yield kind, host, bytes(self._heard[begin + _HEAD.size : end])
            begin = end
        del self._heard[:begin]
