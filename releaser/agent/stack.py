"""What is still to be done, the last that came first: of much of it most lies on the disk."""

from __future__ import annotations

from .generic import Generic, TypeVar
from .pages import Pages
from .texts import FEW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")


class Stack(Generic[T]):
    """Rows of what `marshal` knows."""

    def __init__(self, rows: Iterable[T] = ()) -> None:
        self._top: list[T] = list(rows)
        self._below: Pages | None = None

    def __bool__(self) -> bool:
        return bool(self._top) or bool(self._below)

    def push(self, row: T) -> None:
        """Put a row on top.

        Raises:
            OSError: The disk is full.
        """
        self._top.append(row)
        if len(self._top) > FEW:
            half = len(self._top) // 2
            if self._below is None:
                self._below = Pages()
            self._below.add(self._top[:half])
            del self._top[:half]

    def pop(self) -> T:
        """Take the row on top."""
        if not self._top and self._below:
            self._top = self._below.take()
        return self._top.pop()
