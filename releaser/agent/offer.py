"""What siblings may have while a release is prepared: members that were checked."""

from __future__ import annotations

import os
import threading
import time

from .arrivals import Absent, NotYet
from .named_tuple import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from .arrivals import Arrivals


class Offer:
    """The members that this host fetches, for others; any number of threads may ask.

    The file that they arrive in stays open until the end, so that it may be deleted meanwhile.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._arrivals: Arrivals | None = None
        self._descriptor = -1
        self._over = False

    def open(self, arrivals: Arrivals, file: BinaryIO) -> None:
        """Begin to give what arrives in a file, until `close`."""
        with self._changed:
            self._over = False
            self._shut()
            self._descriptor = os.dup(file.fileno())
            self._arrivals = arrivals
            self._changed.notify_all()

    def close(self) -> None:
        """Give nothing, and let nobody wait, unless it is opened again."""
        with self._changed:
            self._over = True
            self._shut()
            self._changed.notify_all()

    def span(self, start: int, end: int, patience: float) -> int:
        """Return up to where all bytes from `start` are here and checked, `end` at most.

        Args:
            start: Where a member begins.
            end: How far they are wanted; not in the middle of a member.
            patience: Seconds to wait for the first member.

        Raises:
            NotYet: It did not come in that time.
            Absent: No such member comes.
        """
        until = time.monotonic() + patience
        with self._changed:
            while self._arrivals is None and not self._over:
                left = until - time.monotonic()
                if left <= 0:
                    raise NotYet(begun=False)
                self._changed.wait(left)
            arrivals = self._arrivals
        if arrivals is None:
            raise Absent(None)
        return arrivals.span(start, end, max(until - time.monotonic(), 0))

    def descriptor(self) -> int:
        """Return a descriptor of the file for the caller to close.

        Raises:
            Absent: It was taken back.
        """
        with self._changed:
            if self._descriptor < 0:
                raise Absent(None)
            return os.dup(self._descriptor)

    def _shut(self) -> None:
        self._arrivals = None
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class Offers(NamedTuple):
    """All that siblings may have of one release.

    Attributes:
        archive: Members of the archive.
        table: The file table.
        patch: The patch that this host makes the release with.
    """

    archive: Offer
    table: Offer
    patch: Offer

    def close(self) -> None:
        """Let nobody wait for anything, until there is something again."""
        for offer in self:
            offer.close()

    def close_content(self) -> None:
        """Let nobody wait for anything but the table."""
        self.archive.close()
        self.patch.close()
