"""The references of a file, by its suffix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

from castoff.builder.assets.references import css, html, js, json_strings
from castoff.builder.assets.references.reference import Reference
from castoff.builder.assets.text import decode
from castoff.builder.assets.tools.lexer import Lexer

_Scan = Callable[[str, str, Lexer], list[Reference]]


def _css(text: str, _name: str, _lexer: Lexer) -> list[Reference]:
    return css.scan(text)


def _web_manifest(text: str, name: str, _lexer: Lexer) -> list[Reference]:
    return list(json_strings.scan_web_manifest(text, name))


_SCANS: dict[str, _Scan] = {
    ".css": _css,
    ".htm": html.scan,
    ".html": html.scan,
    ".js": js.scan,
    ".mjs": js.scan,
    ".svg": html.scan,
    ".webmanifest": _web_manifest,
}


def scan(name: str, data: bytes, lexer: Lexer) -> tuple[str, list[Reference]]:
    """Return the text that a file's references count in, and the references, in order.

    Args:
        name: The file's logical name; its suffix decides how it is read.
        data: Its content.
        lexer: For JavaScript.

    Returns:
        `("", [])` for files that name no others.

    Raises:
        AssetError: The file is not what its suffix says.
    """
    text = text_of(name, data)
    if text is None:
        return "", []
    return text, _SCANS[_suffix(name)](text, name, lexer)


def text_of(name: str, data: bytes) -> str | None:
    """Return the text that a file's references count in; None for files that name no others.

    Raises:
        AssetError: It is not UTF-8.
    """
    suffix = _suffix(name)
    if suffix not in _SCANS:
        return None
    text = decode(data, name)
    return text if suffix in {".js", ".mjs"} else css.normalise(text)


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
