"""How fast bytes may come: a token bucket (RFC 2697 describes one, with two more colours)."""

from __future__ import annotations

import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Of a second, for which the bucket holds bytes. More would come in bursts, less in crumbs.
_DEPTH = 0.25


class Pace:
    """Says after each bytes how long to wait, so that no more than the rate comes on average.

    Threads that fetch have one in common: whoever takes bytes pays off what is owed before that.

    Attributes:
        rate: Bytes a second; 0 for no limit.
    """

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with a full bucket.

        Args:
            rate: Bytes a second; 0 for no limit.
            clock: Seconds, as by `time.monotonic`.
        """
        self.rate = rate
        self._clock = clock
        self._depth = rate * _DEPTH
        self._tokens = self._depth
        self._filled = clock()
        self._lock = threading.Lock()

    def most(self, count: int) -> int:
        """Return how many of so many bytes to take at once."""
        return min(count, max(int(self._depth), 1)) if self.rate else count

    def spend(self, count: int) -> float:
        """Note that so many bytes have come; return how many seconds the next ones are to wait."""
        if not self.rate:
            return 0
        with self._lock:
            now = self._clock()
            came = (now - self._filled) * self.rate
            self._tokens = min(self._depth, self._tokens + came) - count
            self._filled = now
            return max(-self._tokens / self.rate, 0)
