"""How far a long step is: few enough events that a controller busy sending need not read them."""

from __future__ import annotations

import time

from .messages import Channel

_PAUSE = 0.2
_WHOLE = 100


class Progress:
    """Sends `progress` events for one step: at most one a percent, and five a second.

    While the controller sends an archive it reads nothing, so all events of one step must fit
    into a pipe's 64 KiB.
    """

    def __init__(self, channel: Channel, step: str, total: int) -> None:
        self._channel = channel
        self._step = step
        self._total = total
        self._percent = -1
        self._next = 0.0

    def __call__(self, done: int) -> None:
        """Tell that `done` of the total bytes are done, if it is worth telling.

        Raises:
            Gone: The controller left; there is no use in going on.
        """
        percent = _WHOLE * done // self._total if self._total else _WHOLE
        now = time.monotonic()
        if percent == self._percent or (now < self._next and percent < _WHOLE):
            return
        self._percent, self._next = percent, now + _PAUSE
        self._channel.check()
        self._channel.event("progress", step=self._step, done=done, total=self._total)
