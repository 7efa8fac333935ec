"""A long document that is kept packed, and unpacked a block at a time as often as it is needed."""

from __future__ import annotations

import hashlib
import zlib

from .errors import AgentError
from .spill import Spill

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What says of some ten million files where they are.
MOST_BYTES = 4 * 1024 * 1024 * 1024
GZIP, ZLIB = 31, 15
_BLOCK = 64 * 1024
# The fastest: the text lives no longer than a request.
_LEVEL = 1


class Packed:
    """A document, in gzip or zlib format."""

    def __init__(self, data: bytes | Spill, window: int = GZIP) -> None:
        """Take the packed bytes and their format, as `wbits` of zlib."""
        self._data = data
        self._window = window

    @classmethod
    def of(cls, blocks: Iterable[bytes]) -> Packed:
        """Pack a document that comes in blocks."""
        packing = zlib.compressobj(_LEVEL)
        packed = Spill()
        for block in blocks:
            packed.add(packing.compress(block))
        packed.add(packing.flush())
        return cls(packed, ZLIB)

    def blocks(self) -> Iterator[bytes]:
        """Yield the document; no more of it than `MOST_BYTES`.

        Raises:
            AgentError: `corrupt`: it cannot be unpacked.
        """
        unpacking = zlib.decompressobj(self._window)
        left = MOST_BYTES
        rest = b""
        packed = self._packed()
        while left and not unpacking.eof:
            if not rest:
                rest = next(packed, b"")
                if not rest:
                    return
            try:
                block = unpacking.decompress(rest, min(left, _BLOCK))
            except zlib.error as error:
                raise AgentError("corrupt", "the file table cannot be unpacked") from error
            rest = unpacking.unconsumed_tail
            left -= len(block)
            yield block

    def _packed(self) -> Iterator[bytes]:
        data = self._data
        if isinstance(data, Spill):
            return data.blocks()
        return (data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK))

    def sha256(self) -> str:
        """Return the digest of the document."""
        digest = hashlib.sha256()
        for block in self.blocks():
            digest.update(block)
        return digest.hexdigest()
