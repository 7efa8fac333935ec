"""Read a long JSON document row by row: all of it at once takes six times its length.

The document is one object without white space between its parts, as `store/canonical.py` writes it.
"""

from __future__ import annotations

import codecs
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from typing import Any


# Characters of a value; the longest row holds two paths.
_LONGEST = 1024 * 1024


def rows(blocks: Iterable[bytes], lists: Collection[str]) -> Iterator[tuple[str, Any]]:
    """Yield the rows of some lists of an object, each with its list's name, and the other values.

    A list is announced by its name and None.

    Args:
        blocks: The document, in UTF-8.
        lists: The names of the lists.

    Raises:
        TypeError: One of them is no list.
        ValueError: It is no such document.
    """
    text = _Text(blocks)
    text.expect("{")
    while True:
        name = text.value()
        text.expect(":")
        if name not in lists:
            yield name, text.value()
        elif not text.skips("["):
            raise TypeError("not a list")
        else:
            yield name, None
            if not text.skips("]"):
                yield name, text.value()
                while text.skips(","):
                    yield name, text.value()
                text.expect("]")
        if not text.skips(","):
            text.expect("}")
            text.finish()
            return


class _Text:
    """As much of the document as is needed for the next value."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogatepass")
        self._decode = json.JSONDecoder().raw_decode
        self._text = ""
        self._at = 0

    def value(self) -> Any:
        """Return the next value."""
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except ValueError:
                if len(self._text) - self._at > _LONGEST or not self._more():
                    raise
                continue
            # A number that ends where the text does may go on.
            if end < len(self._text) or not self._more():
                self._at = end
                return value

    def skips(self, mark: str) -> bool:
        """Go past a character if it comes next."""
        while self._at == len(self._text):
            if not self._more():
                return False
        if self._text[self._at] != mark:
            return False
        self._at += 1
        return True

    def expect(self, mark: str) -> None:
        """Go past a character.

        Raises:
            ValueError: Another one comes next.
        """
        if not self.skips(mark):
            raise ValueError(f"not a {mark}")

    def finish(self) -> None:
        """Make sure that nothing follows.

        Raises:
            ValueError: Something does.
        """
        while self._more():
            continue
        if self._at < len(self._text):
            raise ValueError("more than one value")

    def _more(self) -> bool:
        """Take in another block; return whether there was one."""
        block = next(self._blocks, None)
        if block is None:
            return False
        self._text = self._text[self._at :] + self._decoder.decode(block)
        self._at = 0
        return True
