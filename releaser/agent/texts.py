"""Texts in a row, as paths of files: of many, most lie on the disk."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import islice
from operator import lt

from .pages import Pages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Rows that are kept in memory as such: at most so many take less time, and 2 MiB.
FEW = 10_000
# Texts that are read at once.
_PAGE = 256


class Texts:
    """Texts in the order in which they were added, each of at most some KiB.

    Any number of threads may read once nothing is added any more.

    Attributes:
        many: Whether they are not kept in memory.
        sorted: Whether there are many, and each comes before the next one.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._recent: list[str] = []
        self._pages = Pages()
        # Of each page.
        self._firsts: list[str] = []
        self._loaded: tuple[int, list[str]] = (-1, [])
        self._last = ""
        self.many = False
        self.sorted = False
        for text in texts:
            self.append(text)

    def append(self, text: str) -> None:
        """Add one.

        Raises:
            OSError: The disk is full.
        """
        recent = self._recent
        recent.append(text)
        if self.many:
            self.sorted = self.sorted and self._last < text
            self._last = text
        elif len(recent) > FEW:
            self.many, self.sorted, self._last = True, ascend(recent), text
        while self.many and len(recent) >= _PAGE:
            self._pages.add(recent[:_PAGE])
            self._firsts.append(recent[0])
            del recent[:_PAGE]

    def __len__(self) -> int:
        return len(self._firsts) * _PAGE + len(self._recent)

    def __getitem__(self, index: int) -> str:
        if not self.many:
            return self._recent[index]
        if index < 0:
            index += len(self)
        page, at = divmod(index, _PAGE)
        number, texts = self._loaded
        if number != page:
            texts = self._page(page)
        return texts[at]

    def __iter__(self) -> Iterator[str]:
        return iter(self._recent) if not self.many else self._each()

    def find(self, text: str) -> int:
        """Return where a text is, -1 if it is not there; they must be `sorted`."""
        if self._recent and text >= self._recent[0]:
            page = len(self._firsts)
        else:
            page = max(bisect_right(self._firsts, text) - 1, 0)
        texts = self._page(page)
        at = bisect_left(texts, text)
        return page * _PAGE + at if at < len(texts) and texts[at] == text else -1

    def _each(self) -> Iterator[str]:
        for page in range(len(self._firsts) + 1):
            yield from self._page(page)

    def _page(self, page: int) -> list[str]:
        if page == len(self._firsts):
            return self._recent
        number, texts = self._loaded
        if number != page:
            texts = self._pages[page]
            # At one stroke: another thread may read elsewhere.
            self._loaded = page, texts
        return texts


def ascend(texts: list[str]) -> bool:
    """Whether each comes before the next one."""
    return all(map(lt, texts, islice(texts, 1, None)))
