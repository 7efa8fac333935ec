"""A thread for what others are only waited for, which nobody waits for once a build fails."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import get_ident
from types import TracebackType

from castoff.builder.process import end_of_thread


class Beside(ThreadPoolExecutor):
    """One thread; where the block fails, or is interrupted, the program that it runs is ended.

    A signal interrupts the main thread alone, and an index that does not answer takes minutes.
    """

    def __init__(self) -> None:
        """Start no thread yet."""
        self._idents: list[int] = []
        super().__init__(1, initializer=lambda: self._idents.append(get_ident()))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for the end of all, or of nothing but what is at work."""
        if kind is not None:
            self.shutdown(wait=False, cancel_futures=True)
            for ident in self._idents:
                end_of_thread(ident)
        self.shutdown()
