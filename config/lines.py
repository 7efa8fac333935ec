"""On which line of a TOML text each key stands; needed only once something is wrong with it.

Written from the grammar of TOML 1.0 (https://toml.io/en/v1.0.0). The text must be valid: it has
been read by a real parser before, so this reader checks nothing and only keeps count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from castoff.config.errors import KeyPath
from castoff.config.toml import parse

_BLANK = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n,]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
# A multi-line string may end in up to two quotes of its own before the three that close it.
_STRING = re.compile(
    r'"{3}(?:\\.|[^\\])*?"{3,5}'
    r"|'{3}.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\r\n]+")


class Lines:
    """The line of each key, table and array element of one document."""

    def __init__(self, lines: Mapping[KeyPath, int]) -> None:
        self._lines = lines

    def of(self, path: KeyPath) -> int:
        """Return the line of a path, or of its nearest ancestor that stands in the text."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def known(self, path: KeyPath) -> bool:
        """Whether exactly this path stands in the text."""
        return path in self._lines


def locate(text: str) -> Lines:
    """Return where everything stands in a valid TOML text.

    A table has the line of its header, or of the first key that implies it; an array of tables
    has that of its first element; a key its own; an array's element that of its first character.
    """
    return Lines(_Reader(text).read())


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0
        self._lines: dict[KeyPath, int] = {}
        self._elements: dict[KeyPath, int] = {}

    def read(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self._skip(_GAP)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_GAP)
        return self._lines

    def _header(self) -> KeyPath:
        line = self._here()
        array = self._text.startswith("[[", self._at)
        self._at += 2 if array else 1
        *parents, last = self._key()
        self._at += 2 if array else 1
        path: KeyPath = ()
        for part in parents:
            path = self._newest((*path, part))
            self._lines.setdefault(path, line)
        path = (*path, last)
        if array:
            self._lines.setdefault(path, line)
            self._elements[path] = self._elements.get(path, -1) + 1
            path = self._newest(path)
        # A header says more of where a table is than the keys that implied it before.
        self._lines[path] = line
        return path

    def _newest(self, path: KeyPath) -> KeyPath:
        """Return the element of an array of tables that a header below it means."""
        return (*path, self._elements[path]) if path in self._elements else path

    def _pair(self, table: KeyPath) -> None:
        line = self._here()
        path = table
        for part in self._key():
            path = (*path, part)
            self._lines.setdefault(path, line)
        self._at += 1
        self._skip(_BLANK)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        opening = self._text[self._at]
        if opening == "[":
            for index in self._items("]"):
                element = (*path, index)
                self._lines[element] = self._here()
                self._value(element)
        elif opening == "{":
            for _ in self._items("}"):
                self._pair(path)
        elif opening in "\"'":
            self._take(_STRING)
        else:
            self._take(_SCALAR)

    def _items(self, closing: str) -> Iterator[int]:
        index = 0
        self._at += 1
        self._skip(_GAP)
        while self._text[self._at] != closing:
            yield index
            index += 1
            self._skip(_GAP)
        self._at += 1

    def _key(self) -> list[str]:
        """Read a dotted key, and the blanks around it."""
        parts = []
        while True:
            self._skip(_BLANK)
            parts.append(self._part())
            self._skip(_BLANK)
            if self._text[self._at] != ".":
                return parts
            self._at += 1

    def _part(self) -> str:
        if self._text[self._at] not in "\"'":
            return self._take(_BARE)
        quoted = self._take(_STRING)
        return str(parse(f"key = {quoted}")["key"])

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError(f"not TOML on line {self._here()}")
        self._at = match.end()
        return match[0]

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        if match is not None:
            self._at = match.end()

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line
