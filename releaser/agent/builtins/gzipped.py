"""Compress and decompress a stream of blocks: gzip, RFC 1952, in one member."""

from __future__ import annotations

import zlib

from ..errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_GZIP = 31
_LEVEL = 6
_MOST_AT_ONCE = 1024 * 1024


def compressed(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what `blocks` are compressed to."""
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    for block in blocks:
        made = compressor.compress(block)
        if made:
            yield made
    yield compressor.flush()


def decompressed(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what was compressed, in pieces of bounded size.

    Raises:
        AgentError: `corrupt`: it is not gzip, was cut short, or fails its own check sum.
    """
    decompressor = zlib.decompressobj(_GZIP)
    try:
        for block in blocks:
            left = block
            while left and not decompressor.eof:
                made = decompressor.decompress(left, _MOST_AT_ONCE)
                left = decompressor.unconsumed_tail
                if made:
                    yield made
        made = decompressor.flush()
        if made:
            yield made
    except zlib.error:
        raise AgentError("corrupt", "the back-up's compressed data is damaged") from None
    if not decompressor.eof or decompressor.unused_data:
        raise AgentError("corrupt", "the back-up's compressed data does not end where it should")
