"""Each construct of CSS that can name a file, and each that only looks so."""

from __future__ import annotations

import pytest

from castoff.builder.assets.references import css

REWRITTEN = {
    "url without quotes": ("a{b:url(x.png)}", "a{b:url(NEW)}"),
    "url in double quotes": ('a{b:url("x.png")}', 'a{b:url("NEW")}'),
    "url in single quotes": ("a{b:url('x.png')}", 'a{b:url("NEW")}'),
    "white space around": ("a{b:url(\t x.png\n )}", "a{b:url(\t NEW\n )}"),
    "upper case": ("a{b:URL(x.png)}", "a{b:URL(NEW)}"),
    "a space in quotes": ('a{b:url("x y.png")}', 'a{b:url("NEW")}'),
    "an escaped space": (r"a{b:url(x\ y.png)}", "a{b:url(NEW)}"),
    "an escaped parenthesis": (r"a{b:url(x\).png)}", "a{b:url(NEW)}"),
    "two in one value": ("a{b:url(x.png),url(y.png)}", "a{b:url(NEW),url(NEW)}"),
    "import of a string": ("@import 'x.css';", '@import "NEW";'),
    "import without a space": ('@import"x.css"', '@import"NEW"'),
    "import of a url": ("@import url(x.css) screen;", "@import url(NEW) screen;"),
    "import with a layer": (
        '@import "x.css" layer(base) supports(display:grid);',
        '@import "NEW" layer(base) supports(display:grid);',
    ),
    "image-set of urls": (
        "a{b:image-set(url(x.png) 1x, url(y.png) 2x)}",
        "a{b:image-set(url(NEW) 1x, url(NEW) 2x)}",
    ),
    "image-set of strings": (
        'a{b:image-set("x.png" 1x type("image/png"),"y.png" 2x)}',
        'a{b:image-set("NEW" 1x type("image/png"),"NEW" 2x)}',
    ),
    "prefixed image-set": (
        'a{b:-webkit-image-set("x.png" 1x)}',
        'a{b:-webkit-image-set("NEW" 1x)}',
    ),
    "a custom property": (":root{--x:url(x.png)}", ":root{--x:url(NEW)}"),
    "a block in a custom property": (":root{--x:{a:url(x.png)}}", ":root{--x:{a:url(NEW)}}"),
    "a font": (
        '@font-face{src:url("x.eot?#iefix")format("eot")}',
        '@font-face{src:url("NEW")format("eot")}',
    ),
    "nested rules": ("@media x{a{&:b{c:url(x.png)}}}", "@media x{a{&:b{c:url(NEW)}}}"),
    "a source map": (
        "a{}/*# sourceMappingURL=x.css.map */",
        "a{}/*# sourceMappingURL=NEW */",
    ),
    "src()": ('a{b:src("x.png")}', 'a{b:src("NEW")}'),
}

LEFT_ALONE = {
    "a comment": "/* url(x.png) @import 'y' */a{b:c}",
    "a string": 'a{content:"url(x.png)"}',
    "a namespace": '@namespace "http://www.w3.org/1999/xhtml";@namespace s url(http://x);',
    "a charset": '@charset "utf-8";',
    "a font's name": 'a{font-family:"x.png"}',
    "a string in another function": 'a{b:foo("x.png")}',
    "an empty url": "a{b:url()}",
}


def rewritten(text: str) -> str:
    for reference in reversed(css.scan(text)):
        text = text[: reference.start] + reference.escape("NEW") + text[reference.end :]
    return text


@pytest.mark.parametrize("name", REWRITTEN)
def test_it_is_found_and_nothing_else_changes(name: str) -> None:
    before, after = REWRITTEN[name]
    assert rewritten(before) == after


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_it_is_left_alone(name: str) -> None:
    assert css.scan(LEFT_ALONE[name]) == []


def test_the_url_is_decoded() -> None:
    assert [r.url for r in css.scan(r"a{b:url(x\ y\29.png) url('\70 q.png')}")] == [
        "x y).png",
        "pq.png",
    ]


def test_what_is_written_back_is_read_again_as_written() -> None:
    odd = "a b'\"(c)\\.png"
    for style in ("a{b:url(x)}", "a{b:url('x')}"):
        (reference,) = css.scan(style)
        text = style[: reference.start] + reference.escape(odd) + style[reference.end :]
        assert [one.url for one in css.scan(text)] == [odd]


def test_line_ends_of_windows_do_not_shift_places() -> None:
    text = css.normalise("/* a\r\nb */\r\n\r\na{b:url(x.png)}\f\r")
    (reference,) = css.scan(text)
    assert text[reference.start : reference.end] == "x.png"
