"""Tags of HTML and SVG with the places of their attributes' values."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from html.parser import HTMLParser

_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|\w+);?")
_SPACE = " \t\n\r\f"
_RAW_ELEMENTS = ("script", "style")


@dataclass(frozen=True)
class Attribute:
    """One attribute with a value.

    Attributes:
        name: In lower case.
        value: Decoded.
        places: Offset in the document of each character of the value, and of its end.
    """

    name: str
    value: str
    places: tuple[int, ...]


@dataclass(frozen=True)
class Element:
    """One start tag.

    Attributes:
        tag: In lower case; `?xml-stylesheet` for that instruction.
        attributes: Those that have values; of two of one name, the first counts, as in browsers.
        content: Range of the raw text in a script or style element, else None.
    """

    tag: str
    attributes: dict[str, Attribute]
    content: tuple[int, int] | None = None

    def get(self, name: str) -> str:
        """Return an attribute's value, "" where it has none."""
        found = self.attributes.get(name)
        return found.value if found else ""


def elements(text: str) -> list[Element]:
    """Return the elements of a document, in order."""
    parser = _Parser(text)
    parser.feed(text)
    parser.close()
    return parser.found


class _Parser(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Element] = []
        self._text = text
        self._lines = [0] + [i + 1 for i, c in enumerate(text) if c == "\n"]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs  # they come without their places
        start = self._offset()
        raw = self.get_starttag_text() or ""
        content = (start + len(raw), len(self._text)) if tag in _RAW_ELEMENTS else None
        self.found.append(Element(tag, _attributes(raw, start), content))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        last = self.found[-1] if self.found else None
        if last and last.tag == tag and last.content:
            self.found[-1] = Element(tag, last.attributes, (last.content[0], self._offset()))

    def handle_pi(self, data: str) -> None:
        if data.startswith("xml-stylesheet"):
            start = self._offset()
            self.found.append(Element("?xml-stylesheet", _attributes(f"<?{data}", start)))

    def _offset(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column


def _attributes(raw: str, start: int) -> dict[str, Attribute]:
    """Read a start tag as WHATWG HTML's tokenizer does."""
    found: dict[str, Attribute] = {}
    position = 1
    while position < len(raw) and raw[position] not in _SPACE + "/>":
        position += 1
    while position < len(raw):
        while position < len(raw) and raw[position] in _SPACE + "/>?":
            position += 1
        name_start = position
        while position < len(raw) and raw[position] not in _SPACE + "/>=":
            position += 1
        name = raw[name_start:position].lower()
        while position < len(raw) and raw[position] in _SPACE:
            position += 1
        if not raw.startswith("=", position):
            # No value; an odd sign that is no name is stepped over.
            position += not name
            continue
        position += 1
        while position < len(raw) and raw[position] in _SPACE:
            position += 1
        first, last, position = _value(raw, position)
        if name not in found:
            value, places = _decode(raw[first:last], start + first)
            found[name] = Attribute(name, value, places)
    return found


def _value(raw: str, position: int) -> tuple[int, int, int]:
    """Return the range of a value and where to go on."""
    quote = raw[position : position + 1]
    if quote in ("'", '"'):
        end = raw.find(quote, position + 1)
        end = len(raw) if end < 0 else end
        return position + 1, end, end + 1
    end = position
    while end < len(raw) and raw[end] not in _SPACE + ">":
        end += 1
    return position, end, end


def _decode(raw: str, start: int) -> tuple[str, tuple[int, ...]]:
    """Return a value without character references, and where each character came from."""
    value = ""
    places: list[int] = []
    position = 0
    for match in _ENTITY.finditer(raw):
        value += raw[position : match.start()]
        places += range(start + position, start + match.start())
        decoded = html.unescape(match[0])
        value += decoded
        places += [start + match.start()] * len(decoded)
        position = match.end()
    value += raw[position:]
    places += range(start + position, start + len(raw) + 1)
    return value, tuple(places)
