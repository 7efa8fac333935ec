"""How URLs are written in each language: so that what they replace stays what it was there."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Literal

Spelling = Literal["css-quoted", "css-bare", "markup", "json", "js'", 'js"', "js`"]


def _css_quoted(url: str) -> str:
    escaped = url.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\a ")
    return f'"{escaped}"'


def _css_bare(url: str) -> str:
    special = "\\\"'() \t"
    return "".join(f"\\{c}" if c in special else "\\a " if c == "\n" else c for c in url)


def _markup(value: str) -> str:
    """Write a value so that it fits any quotes, or none."""
    for character, spelled in (("&", "&amp;"), ('"', "&quot;"), ("'", "&#39;"), ("<", "&lt;")):
        value = value.replace(character, spelled)
    return value


def _json(url: str) -> str:
    return json.dumps(url, ensure_ascii=False)


def _js(quote: str, url: str) -> str:
    escaped = json.dumps(url, ensure_ascii=False)[1:-1].replace('\\"', '"')
    return f"{quote}{escaped.replace(quote, chr(92) + quote)}{quote}"


SPELLINGS: dict[Spelling, Callable[[str], str]] = {
    "css-quoted": _css_quoted,
    "css-bare": _css_bare,
    "markup": _markup,
    "json": _json,
    "js'": partial(_js, "'"),
    'js"': partial(_js, '"'),
    "js`": partial(_js, "`"),
}
