"""References in CSS, found with the tokens of `tinycss2`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from castoff.builder.assets.references.reference import Reference
from castoff.builder.assets.tools import extra

_SOURCE_MAP = ("# sourceMappingURL=", "@ sourceMappingURL=")
_URL_FUNCTIONS = frozenset(("url", "src"))
_IMAGE_SETS = frozenset(("image-set", "-webkit-image-set"))
_IGNORED = ("whitespace", "comment")
_SPACE = " \t\n"


def normalise(text: str) -> str:
    """Return the text as CSS tokenizers see it, whose places the references count in.

    CSS Syntax Level 3, section 3.3: one kind of line end, no NUL.
    """
    for end in ("\r\n", "\r", "\f"):
        text = text.replace(end, "\n")
    return text.replace("\0", "\ufffd")


def scan(text: str) -> list[Reference]:
    """Return the references of a normalised stylesheet or style attribute, in order.

    Covered: `url()` quoted or not, `src()`, `@import` with a string, strings in `image-set()`,
    anywhere, custom properties and blocks in blocks too; and the source map comment. Left alone:
    comments, other strings, `@namespace`.
    """
    parser = extra.load("tinycss2", "tinycss2")
    nodes = parser.parse_component_value_list(text, skip_comments=False)
    scanner = _Scanner(text)
    found = list(scanner.walk(nodes))
    return sorted(found, key=lambda reference: reference.start)


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = [0]
        for index, character in enumerate(text):
            if character == "\n":
                self._lines.append(index + 1)

    def walk(self, nodes: list[Any], *, strings: bool = False) -> Iterator[Reference]:
        rule = ""
        for node in nodes:
            if node.type == "at-keyword":
                rule = node.lower_value
            elif node.type == "comment":
                yield from self._source_map(node)
            elif rule == "namespace":
                # Its URL is a name, not a place.
                rule = "" if node == ";" else rule
            elif node.type != "whitespace":
                yield from self._node(node, strings=strings or rule == "import")
                # Only what stands right behind `@import` is its target.
                rule = ""

    def _node(self, node: Any, *, strings: bool) -> Iterator[Reference]:
        if node.type == "url":
            yield from self._bare(node)
        elif node.type == "string" and strings:
            yield self._quoted(node)
        elif node.type == "function":
            if node.lower_name in _URL_FUNCTIONS:
                first = next((n for n in node.arguments if n.type not in _IGNORED), None)
                if first is not None and first.type == "string":
                    yield self._quoted(first)
            else:
                yield from self.walk(node.arguments, strings=node.lower_name in _IMAGE_SETS)
        elif node.type in ("{} block", "[] block", "() block"):
            yield from self.walk(node.content)

    def _offset(self, node: Any) -> int:
        return self._lines[int(node.source_line) - 1] + int(node.source_column) - 1

    def _quoted(self, node: Any) -> Reference:
        start = self._offset(node)
        quote = self._text[start]
        end = start + 1
        while end < len(self._text) and self._text[end] != quote:
            end += 2 if self._text[end] == "\\" else 1
        return Reference(start, min(end + 1, len(self._text)), node.value, ("css-quoted",))

    def _bare(self, node: Any) -> Iterator[Reference]:
        start = self._text.find("(", self._offset(node)) + 1
        while self._text[start : start + 1] in _SPACE and start < len(self._text):
            start += 1
        end = start
        while end < len(self._text) and self._text[end] not in _SPACE + ")":
            end += 2 if self._text[end] == "\\" else 1
        if start < end:
            yield Reference(start, end, node.value, ("css-bare",))

    def _source_map(self, node: Any) -> Iterator[Reference]:
        for mark in _SOURCE_MAP:
            if node.value.startswith(mark):
                start = self._offset(node) + len("/*") + len(mark)
                url = node.value[len(mark) :].rstrip()
                yield Reference(start, start + len(url), url, need="source-map")
