"""References in HTML pages and SVG pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urljoin

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.references import css, js, json_strings, srcset
from castoff.builder.assets.references.markup import Attribute, Element, elements
from castoff.builder.assets.references.reference import Need, Reference
from castoff.builder.assets.text import line_of
from castoff.builder.assets.tools.lexer import Lexer

# Attributes that hold one URL: (element, attribute) to what it means that the file is missing.
_URLS: dict[tuple[str, str], Need] = {
    ("a", "href"): "link",
    ("area", "href"): "link",
    ("a", "xlink:href"): "link",
    ("audio", "src"): "asset",
    ("body", "background"): "asset",
    ("embed", "src"): "asset",
    ("feimage", "href"): "asset",
    ("feimage", "xlink:href"): "asset",
    ("iframe", "src"): "link",
    ("image", "href"): "asset",
    ("image", "xlink:href"): "asset",
    ("img", "src"): "asset",
    ("input", "src"): "asset",
    ("link", "href"): "link",
    ("object", "data"): "asset",
    ("script", "src"): "asset",
    ("script", "href"): "asset",
    ("script", "xlink:href"): "asset",
    ("source", "src"): "asset",
    ("track", "src"): "asset",
    ("use", "href"): "asset",
    ("use", "xlink:href"): "asset",
    ("video", "poster"): "asset",
    ("video", "src"): "asset",
    ("?xml-stylesheet", "href"): "asset",
}
_SRCSETS = (("img", "srcset"), ("source", "srcset"), ("link", "imagesrcset"))
_ASSET_RELS = frozenset(
    [
        "stylesheet",
        "icon",
        "apple-touch-icon",
        "apple-touch-startup-image",
        "mask-icon",
        "preload",
        "prefetch",
        "modulepreload",
        "manifest",
    ]
)
_META_IMAGES = frozenset(
    ("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "msapplication-tileimage")
)
# Presentation attributes of SVG that may hold `url(file#id)`.
_STYLED = frozenset(
    [
        "style",
        "fill",
        "stroke",
        "filter",
        "mask",
        "clip-path",
        "cursor",
        "marker-start",
        "marker-mid",
        "marker-end",
    ]
)
_SCRIPT_TYPES = frozenset(("", "module", "text/javascript", "application/javascript"))


def scan(text: str, name: str, lexer: Lexer) -> list[Reference]:
    """Return the references of a page or picture, in order.

    Covered: URLs and `srcset` in attributes, style attributes and elements, scripts in the page,
    import maps, `integrity` beside a `src` or `href`, and `<base href>`.

    Raises:
        AssetError: A script or import map in it cannot be read.
    """
    found: list[Reference] = []
    base: str | None = None
    for element in elements(text):
        if element.tag == "base" and base is None and element.get("href"):
            base = urljoin("", element.get("href"))
            continue
        here = [*_of_attributes(element), *_of_content(text, element, name, lexer)]
        found += [replace(reference, base=base) for reference in here]
    return sorted(found, key=lambda reference: reference.start)


def _of_attributes(element: Element) -> Iterator[Reference]:
    for name, attribute in element.attributes.items():
        if (element.tag, name) in _URLS:
            yield _whole(attribute, _need(element, name))
        elif (element.tag, name) in _SRCSETS:
            yield from (_within(attribute, one) for one in srcset.scan(attribute.value))
        elif name in _STYLED and "(" in attribute.value:
            yield from (_within(attribute, one) for one in css.scan(attribute.value))
        elif element.tag == "meta" and name == "content":
            kind = (element.get("property") or element.get("name")).lower()
            if kind in _META_IMAGES:
                yield _whole(attribute, "link")
        elif name == "integrity" and element.tag in ("script", "link"):
            url = element.get("src" if element.tag == "script" else "href")
            yield replace(_whole(attribute, "link"), url=url, integrity=True)


def _need(element: Element, attribute: str) -> Need:
    if element.tag == "link":
        rels = element.get("rel").lower().split()
        return "link" if _ASSET_RELS.isdisjoint(rels) else "asset"
    return _URLS[element.tag, attribute]


def _whole(attribute: Attribute, need: Need) -> Reference:
    value = attribute.value
    first = len(value) - len(value.lstrip())
    last = len(value.rstrip())
    url = value[first:last]
    start, end = attribute.places[first], attribute.places[max(first, last)]
    return Reference(start, end, url, ("markup",), need)


def _within(attribute: Attribute, inner: Reference) -> Reference:
    return replace(
        inner,
        start=attribute.places[inner.start],
        end=attribute.places[inner.end],
        spelling=(*inner.spelling, "markup"),
    )


def _of_content(text: str, element: Element, name: str, lexer: Lexer) -> Iterator[Reference]:
    if element.content is None:
        return
    start, end = element.content
    inner = text[start:end]
    kind = element.get("type").lower()
    try:
        if element.tag == "style":
            found = css.scan(css.normalise(inner)) if "\r" not in inner else []
        elif kind == "importmap":
            found = list(json_strings.scan_import_map(inner, name))
        elif kind in _SCRIPT_TYPES:
            found = js.scan(inner, name, lexer)
        else:
            found = []
    except AssetError as error:
        # The place counts from the start of the element; the page's own is what helps.
        line = (error.line or 1) + line_of(text, start) - 1
        message = error.message.partition(": ")[2] or error.message
        raise AssetError(message, file=name, line=line, column=error.column) from error
    for reference in found:
        yield replace(reference, start=reference.start + start, end=reference.end + start)
