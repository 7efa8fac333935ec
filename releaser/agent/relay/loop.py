"""One thread that waits for many descriptors at once."""

from __future__ import annotations

import selectors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE


class Loop:
    """What to do when a descriptor can be read, or written; none of it may block."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._does: dict[int, dict[int, Callable[[], None]]] = {}

    def on(self, descriptor: int, event: int, do: Callable[[], None] | None) -> None:
        """Do something from now on, or nothing any more."""
        does = self._does.setdefault(descriptor, {})
        before = sum(does)
        if do is None:
            does.pop(event, None)
        else:
            does[event] = do
        if not does:
            del self._does[descriptor]
            if before:
                self._selector.unregister(descriptor)
        elif not before:
            self._selector.register(descriptor, sum(does))
        elif sum(does) != before:
            self._selector.modify(descriptor, sum(does))

    def forget(self, descriptor: int) -> None:
        """Let a descriptor go that is about to be closed."""
        for event in (READ, WRITE):
            self.on(descriptor, event, None)

    def turn(self, timeout: float | None) -> None:
        """Wait once, at most so many seconds, and do what there is to do."""
        for key, events in self._selector.select(timeout):
            for event in (READ, WRITE):
                # What was done just now may have let this one go, and its number may have gone
                # to another: whatever is done has to bear that there is nothing to do.
                do = self._does.get(key.fd, {}).get(event)
                if events & event and do is not None:
                    do()
