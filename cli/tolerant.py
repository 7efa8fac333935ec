"""Output whose reader may leave (`castoff history | head`) without that being an error."""

from __future__ import annotations

import os
from typing import IO, Any


class Tolerant:
    """A stream that goes on into nothing once nobody reads it, or it cannot be written any more.

    A release must come to its end, with its own exit code, whether or not somebody listens.

    Attributes:
        used: Whether anything was written, or would have been.
        failure: Why what was written is not where it should be; None where all is, and where a
            reader left, who wants no more.
    """

    def __init__(self, stream: IO[Any], whole: Tolerant | None = None) -> None:
        """Wrap a stream.

        Args:
            stream: The stream.
            whole: The text stream that this one, of bytes, is below; if it is.
        """
        self._stream = stream
        self._whole = whole or self
        # Asked now: a terminal that has gone says that it is none.
        self._terminal = stream.isatty()
        self.used = False
        self.failure: OSError | None = None

    def write(self, text: Any) -> int:
        """Write, as the stream does."""
        self._whole.used = self._whole.used or bool(text)
        try:
            return self._stream.write(text)
        except OSError as error:
            self._let_go(error)
            return len(text)

    def flush(self) -> None:
        """Flush, as the stream does."""
        try:
            self._stream.flush()
        except OSError as error:
            self._let_go(error)

    @property
    def buffer(self) -> Tolerant:
        """The stream of bytes below, whose fate is shared."""
        return Tolerant(self._stream.buffer, self._whole)  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _let_go(self, error: OSError) -> None:
        """Let all that is still buffered, and all that follows, go to /dev/null."""
        if not (isinstance(error, ConnectionError) or self._terminal):
            self._whole.failure = self._whole.failure or error
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self._stream.fileno())
        os.close(nothing)
