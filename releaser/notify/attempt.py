"""One notification's tries: how long they may take, and what is told when none succeeds."""

from __future__ import annotations

import time
from collections.abc import Callable

# Seconds before the second try; each further pause is twice as long.
_PAUSE = 0.5
_TRIES = 4


class NotSent(Exception):
    """A notification could not be sent; the text says why, and holds no secret.

    Attributes:
        again: Whether another try might succeed.
        wait: Seconds that the other side asks to be left alone; 0 where it says nothing.
    """

    def __init__(self, why: str, *, again: bool = False, wait: float = 0) -> None:
        super().__init__(why)
        self.again = again
        self.wait = wait


class Patience:
    """What is left of one notification's time."""

    def __init__(self, seconds: float) -> None:
        self.limit = seconds
        self._until = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds; negative once they are over."""
        return self._until - time.monotonic()


def persistently(send: Callable[[Patience], None], patience: Patience) -> None:
    """Send, and try again while that makes sense and there is time.

    Raises:
        NotSent: The last try's reason.
    """
    pause = _PAUSE
    for number in range(1, _TRIES + 1):
        try:
            send(patience)
        except NotSent as failed:
            wait = max(pause, failed.wait)
            if not failed.again or number == _TRIES or wait >= patience.left:
                raise
        else:
            return
        time.sleep(wait)
        pause *= 2
