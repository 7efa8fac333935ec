"""Each construct of HTML and SVG that can name a file, and each that only looks so."""

from __future__ import annotations

import pytest

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.references import html, json_strings
from castoff.builder.assets.tools.lexer import Lexer

FOUND = {
    "script": ("<script src=a.js></script>", ["a.js"]),
    "stylesheet": ('<link rel="stylesheet" href="a.css">', ["a.css"]),
    "image": ("<img alt='' src='a.png'>", ["a.png"]),
    "srcset": (
        '<img srcset="a.png, b.png 2x,data:image/gif;base64,R0= 3x, c.png 4x">',
        ["a.png", "b.png", "data:image/gif;base64,R0=", "c.png"],
    ),
    "srcset of a source": ('<source srcset="a.avif 100w,b.avif 200w">', ["a.avif", "b.avif"]),
    "imagesrcset": ('<link rel=preload as=image imagesrcset="a.png 1x">', ["a.png"]),
    "poster and video": ('<video poster="a.jpg" src="b.mp4"></video>', ["a.jpg", "b.mp4"]),
    "object": ('<object data="a.svg"></object>', ["a.svg"]),
    "style attribute": ("<p style=\"background:url('a.png')\">", ["a.png"]),
    "style attribute with entities": (
        '<p style="background:url(&quot;a&amp;b.png&quot;)">',
        ["a&b.png"],
    ),
    "style element": ("<style>a{b:url(a.png)}</style>", ["a.png"]),
    "module in the page": ('<script type="module">import "./a.js"</script>', ["./a.js"]),
    "import map": (
        '<script type="importmap">{"imports":{"a":"./a.js","b/":"/b/"}}</script>',
        ["./a.js", "/b/"],
    ),
    "entity in a URL": ('<a href="a.pdf?x=1&amp;y=2">', ["a.pdf?x=1&y=2"]),
    "sprite": ('<svg><use href="s.svg#a"/><use xlink:href="t.svg#b"/></svg>', None),
    "picture in a picture": ('<svg><image href="a.png"/></svg>', ["a.png"]),
    "presentation attribute": ('<path filter="url(f.svg#a)"/>', ["f.svg#a"]),
    "stylesheet of XML": ('<?xml-stylesheet href="a.css" type="text/css"?><svg/>', ["a.css"]),
    "social image": ('<meta property="og:image" content="/s/a.png">', ["/s/a.png"]),
    "upper case": ("<IMG SRC=a.png>", ["a.png"]),
    "white space around": ("<img src=' a.png '>", ["a.png"]),
}

LEFT_ALONE = {
    "a comment": "<!-- <img src=a.png> -->",
    "a template in a script": "<script type='text/x'><img src=a.png></script>",
    "text": "&lt;img src=a.png>",
    "another meta": '<meta name=description content="a.png">',
    "an attribute of another kind": '<img alt="a.png" data-src="b.png">',
}


@pytest.mark.parametrize("name", FOUND)
def test_it_is_found(name: str, lexer: Lexer) -> None:
    text, urls = FOUND[name]
    found = html.scan(text, "a.html", lexer)
    assert [one.url for one in found] == (urls or ["s.svg#a", "t.svg#b"])
    for reference in found:
        # What is replaced is the URL as written, and no more.
        written = text[reference.start : reference.end]
        assert reference.url.split("?")[0].split("&")[0] in written
        assert ">" not in written


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_it_is_left_alone(name: str, lexer: Lexer) -> None:
    assert html.scan(LEFT_ALONE[name], "a.html", lexer) == []


def test_a_digest_beside_a_file_is_found(lexer: Lexer) -> None:
    text = '<script src="a.js" integrity="sha384-x"></script>'
    source, digest = html.scan(text, "a.html", lexer)
    assert (source.integrity, digest.integrity, digest.url) == (False, True, "a.js")
    assert text[digest.start : digest.end] == "sha384-x"


def test_links_to_pages_may_lead_nowhere_and_files_may_not(lexer: Lexer) -> None:
    text = '<a href="/about"></a><link rel=canonical href=/x><link rel=icon href=i.png><img src=a>'
    assert [one.need for one in html.scan(text, "a.html", lexer)] == [
        "link",
        "link",
        "asset",
        "asset",
    ]


def test_the_base_of_the_page_counts(lexer: Lexer) -> None:
    (reference,) = html.scan('<base href="/s/"><img src=a.png>', "a.html", lexer)
    assert reference.base == "/s/"


def test_a_broken_script_is_told_with_the_page_s_line(lexer: Lexer) -> None:
    with pytest.raises(AssetError) as caught:
        html.scan("<p>\n<script type=module>\nimport `${\n</script>", "a.html", lexer)
    assert caught.value.file == "a.html"
    assert caught.value.line in (3, 4)


def test_icons_of_a_web_app_are_found_and_its_pages_are_not() -> None:
    text = '{"icons": [{"src": "i.png", "sizes": "1x1"}], "start_url": "/x.png"}'
    (reference,) = json_strings.scan_web_manifest(text, "a.webmanifest")
    assert text[reference.start : reference.end] == '"i.png"'
    with pytest.raises(AssetError, match=r"^a\.webmanifest:2:1: not JSON"):
        list(json_strings.scan_web_manifest('{"a":\n}', "a.webmanifest"))
