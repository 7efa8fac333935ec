"""Output whose reader may leave (`castoff history | head`) without that being an error."""

from __future__ import annotations

import os
from typing import Any, TextIO


class Tolerant:
    """A text stream that goes on into nothing once nobody reads it any more.

    A release must come to its end, with its own exit code, whether or not somebody listens.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, as the stream does."""
        try:
            return self._stream.write(text)
        except OSError:
            self._let_go()
            return len(text)

    def flush(self) -> None:
        """Flush, as the stream does."""
        try:
            self._stream.flush()
        except OSError:
            self._let_go()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _let_go(self) -> None:
        """Let all that is still buffered, and all that follows, go to /dev/null."""
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self._stream.fileno())
        os.close(nothing)
