"""References in JavaScript, found with `es-module-lexer`: it says what is code and what is not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from castoff.builder.assets.references.reference import Reference
from castoff.builder.assets.references.spelling import Spelling
from castoff.builder.assets.tools.lexer import Import, Lexer

# Words without which there is nothing to find, so that plain scripts cost no lexer.
_WORDS = ("import", "export", "Worker", "importScripts")
_WORKER = re.compile(r"(?<![\w$.])(?:new\s+(?:Shared)?Worker|(?:self\.)?importScripts)\s*\(")
# What does not start so is a name for an import map.
_PATH = ("./", "../", "/", "http")
_RESOLVE = ".resolve("
_SPELLINGS: dict[str, Spelling] = {"'": "js'", '"': 'js"', "`": "js`"}
_QUOTES = "\"'`"
_SOURCE_MAP = ("//# sourceMappingURL=", "//@ sourceMappingURL=")


def scan(text: str, name: str, lexer: Lexer) -> list[Reference]:
    """Return the references of a script or module, in order.

    Covered: `import`, `export … from`, `import()` of a plain string, `new URL("…",
    import.meta.url)` (workers too), `import.meta.resolve("…")`, `new Worker("/…")`,
    `importScripts("…")`, and the source map comment in the last line. Left alone: bare specifiers,
    other strings, comments, templates.

    Raises:
        AssetError: The text is not JavaScript.
    """
    found: list[Reference] = []
    if any(word in text for word in _WORDS):
        imports = lexer.imports(text, name)
        found += _specifiers(text, imports)
        found += _import_meta(text, imports)
        found += _workers(text, name, lexer)
    found += _source_map(text)
    return sorted(found, key=lambda reference: reference.start)


def _specifiers(text: str, imports: list[Import]) -> Iterator[Reference]:
    for one in imports:
        if one.specifier is not None and one.specifier.startswith(_PATH):
            start, end = one.start, one.end
            if one.kind == "static":
                start, end = start - 1, end + 1
            yield _literal(text, start, end, one.specifier)


def _import_meta(text: str, imports: list[Import]) -> Iterator[Reference]:
    for one in imports:
        if one.kind == "meta" and text.startswith(_RESOLVE, one.end):
            yield from _resolved(text, _after(text, one.end + len(_RESOLVE)))
        if one.kind != "meta" or not text.startswith(".url", one.end):
            continue
        end = _before(text, one.start)
        if not text.endswith(",", 0, end):
            continue
        end = _before(text, end - 1)
        start = _string_start(text, end)
        if start is None:
            continue
        opening = _before(text, start)
        if not re.search(r"\bnew\s+URL\s*\($", text[max(0, opening - 40) : opening]):
            continue
        url = _value(text[start:end])
        # A folder, or the module's own place, is no file.
        if url is not None and not url.endswith(("/", ".")):
            yield _literal(text, start, end, url)


def _resolved(text: str, start: int) -> Iterator[Reference]:
    """Find what `import.meta.resolve` is called with, if that is one plain string."""
    end = _string_end(text, start) if text[start : start + 1] in tuple(_QUOTES) else start
    if end > start and text.startswith(")", _after(text, end)):
        url = _value(text[start:end])
        if url is not None and url.startswith(_PATH) and not url.endswith("/"):
            yield _literal(text, start, end, url)


def _workers(text: str, name: str, lexer: Lexer) -> Iterator[Reference]:
    """Find calls by their words, and let the lexer say which of them are code.

    In a copy of the text each call is made to look like `import(`, in as many characters; those
    that the lexer then reports as dynamic imports are neither in strings nor in comments.
    """
    calls = {}
    copy = text
    for match in _WORKER.finditer(text):
        disguise = "import(".rjust(len(match[0]))
        copy = copy[: match.start()] + disguise + copy[match.end() :]
        calls[match.end() - len("import(")] = match[0]
    if not calls:
        return
    for one in lexer.imports(copy, name):
        call = calls.get(one.statement_start)
        if call is None or one.specifier is None:
            continue
        if "importScripts" in call:
            yield from _arguments(text, one.start)
        elif one.specifier.startswith(("/", "http")):
            # Another path is relative to a page, and which page is not known.
            yield _literal(text, one.start, one.end, one.specifier)


def _arguments(text: str, start: int) -> Iterator[Reference]:
    while text[start : start + 1] in tuple(_QUOTES):
        end = _string_end(text, start)
        url = _value(text[start:end])
        if url is not None:
            yield _literal(text, start, end, url)
        comma = _after(text, end)
        if not text.startswith(",", comma):
            return
        start = _after(text, comma + 1)


def _source_map(text: str) -> Iterator[Reference]:
    stripped = text.rstrip()
    start = stripped.rfind("\n") + 1
    for mark in _SOURCE_MAP:
        if stripped.startswith(mark, start):
            start += len(mark)
            yield Reference(start, len(stripped), stripped[start:], need="source-map")


def _literal(text: str, start: int, end: int, url: str) -> Reference:
    return Reference(start, end, url, (_SPELLINGS[text[start]],))


def _value(literal: str) -> str | None:
    """Return the value of a string literal; None where it is a template or has odd escapes."""
    body = literal[1:-1]
    if literal[0] == "`" and "${" in body:
        return None
    if "\\" not in body:
        return body
    try:
        return str(json.loads('"' + body.replace('"', '\\"').replace("\\'", "'") + '"'))
    except ValueError:
        return None


def _string_start(text: str, end: int) -> int | None:
    quote = text[end - 1 : end]
    if quote not in tuple(_QUOTES):
        return None
    start = text.rfind(quote, 0, end - 1)
    while start > 0 and text[start - 1] == "\\":
        start = text.rfind(quote, 0, start)
    return start if start >= 0 else None


def _string_end(text: str, start: int) -> int:
    end = start + 1
    while end < len(text) and text[end] != text[start]:
        end += 2 if text[end] == "\\" else 1
    return end + 1


def _before(text: str, end: int) -> int:
    """Return the end of what stands before white space and block comments."""
    while True:
        end = len(text[:end].rstrip())
        if not text.endswith("*/", 0, end):
            return end
        end = text.rfind("/*", 0, end)


def _after(text: str, start: int) -> int:
    """Return the start of what stands behind white space and block comments."""
    while True:
        while text[start : start + 1].isspace():
            start += 1
        if not text.startswith("/*", start):
            return start
        start = text.find("*/", start) + 2
