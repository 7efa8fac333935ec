"""Folders in import maps: each module in them is named, since hashed files have names of their own.

`{"imports": {"lib/": "./js/lib/"}}` maps `lib/a.js` to `./js/lib/a.js`, which there is not once the
file is named by its content. An entry of the whole name goes before that of a folder (HTML Living
Standard, "resolve an imports match"), so one for each module is written beside it; they are
rewritten like all references then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from urllib.parse import quote, urljoin

from castoff.builder.assets.collect import matches
from castoff.builder.assets.draft import Draft
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.references.css import normalise
from castoff.builder.assets.references.json_strings import strings
from castoff.builder.assets.references.markup import elements
from castoff.builder.assets.references.resolve import target
from castoff.builder.assets.text import decode

_PAGES = frozenset((".html", ".htm"))
# What `import` may load.
_MODULES = frozenset((".js", ".mjs", ".json", ".css"))


def spell_out(drafts: Sequence[Draft], *, base_url: str, unhashed: Sequence[str]) -> list[Draft]:
    """Return the drafts with every module of a mapped folder named in the pages' import maps.

    Args:
        drafts: All assets.
        base_url: Where they are served.
        unhashed: Globs of those that keep their names.
    """
    modules = [
        draft.name
        for draft in drafts
        if PurePosixPath(draft.name).suffix.lower() in _MODULES
        and not draft.final
        and not matches(draft.name, unhashed)
    ]
    return [_spelled_out(draft, modules, base_url) for draft in drafts]


def _spelled_out(draft: Draft, modules: Sequence[str], base_url: str) -> Draft:
    page = PurePosixPath(draft.name).suffix.lower() in _PAGES
    if draft.final or not page or b"importmap" not in draft.data.lower():
        return draft
    text = normalise(decode(draft.data, draft.name))
    pieces: list[str] = []
    position = 0
    for end, added in _additions(text, draft.name, modules, base_url):
        pieces += (text[position:end], added)
        position = end
    if not pieces:
        return draft
    return replace(draft, data="".join((*pieces, text[position:])).encode())


def _additions(
    text: str, page: str, modules: Sequence[str], base_url: str
) -> Iterator[tuple[int, str]]:
    """Yield where in a page something is added, and what."""
    base: str | None = None
    for element in elements(text):
        if element.tag == "base" and base is None and element.get("href"):
            base = urljoin("", element.get("href"))
        if element.content is None or element.get("type").lower() != "importmap":
            continue
        start, end = element.content
        try:
            found = list(strings(text[start:end], page))
        except AssetError:
            # Told when references are looked for, with its line in the page.
            continue
        there = {string.path for string in found}
        for string in found:
            table, key = string.path[:-1], string.path[-1]
            mapped = table[:1] in (("imports",), ("scopes",)) and key.endswith("/")
            if not (mapped and string.value.endswith("/")):
                continue
            folder = target(f"{string.value}-", page, base_url=base_url, base=base)
            if folder is None:
                continue
            below = folder.removesuffix("-")
            inside = [name.removeprefix(below) for name in modules if name.startswith(below)]
            yield (
                start + string.end,
                "".join(
                    f",{_write(key + name)}:{_write(string.value + quote(name))}"
                    for name in inside
                    if (*table, key + name) not in there
                ),
            )


def _write(text: str) -> str:
    # In a script element, nothing may look like its end.
    return json.dumps(text, ensure_ascii=False).replace("<", "\\u003c")
