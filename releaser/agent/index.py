"""Find texts among many, and go through them in their order."""

from __future__ import annotations

from .numbers import Numbers
from .sorting import Sorting
from .texts import Texts, ascend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Index:
    """The rows of texts; of those that are there twice, that of one of them."""

    def __init__(self, texts: Texts) -> None:
        self._few: dict[str, int] | None = None
        self._texts: Texts = texts
        self._rows: Sequence[int] | Numbers = range(len(texts))
        if not texts.many:
            self._few = {text: row for row, text in enumerate(texts)}
        elif not texts.sorted:
            self._texts, self._rows = Texts(), Numbers()
            last = None
            for text, row in _in_order(texts):
                if text != last:
                    self._texts.append(text)
                    self._rows.append(row)
                last = text

    def find(self, text: str) -> int:
        """Return the row of a text, -1 if it is not there."""
        if self._few is not None:
            return self._few.get(text, -1)
        at = self._texts.find(text)
        return at if at < 0 else self._rows[at]


def in_order(texts: Texts) -> Iterable[tuple[str, int]]:
    """Return all texts in their order, each with its row."""
    if texts.sorted or (not texts.many and ascend(list(texts))):
        return zip(texts, range(len(texts)))
    return _in_order(texts)


def backwards(texts: Texts) -> Iterator[str]:
    """Yield all texts from the last in their order to the first."""
    if not texts.many:
        yield from sorted(texts, reverse=True)
        return
    if not texts.sorted:
        texts = Texts(text for text, _ in _in_order(texts))
    yield from map(texts.__getitem__, range(len(texts) - 1, -1, -1))


def _in_order(texts: Texts) -> Iterable[tuple[str, int]]:
    return Sorting(zip(texts, range(len(texts))))
