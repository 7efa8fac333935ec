from __future__ import annotations

import pytest

from castoff.builder.assets.references.resolve import renamed, target


@pytest.mark.parametrize(
    ("url", "base_url", "expected"),
    [
        ("x.png", "/static/", "css/x.png"),
        ("./x.png", "/static/", "css/x.png"),
        ("../img/x.png?v=1#f", "/static/", "img/x.png"),
        ("/static/img/x.png", "/static/", "img/x.png"),
        ("a%20b.png", "/static/", "css/a b.png"),
        ("https://cdn.example/s/x.png", "https://cdn.example/s/", "x.png"),
        ("//cdn.example/s/x.png", "https://cdn.example/s/", "x.png"),
        ("x.png", "https://cdn.example/s/", "css/x.png"),
        ("/x.png", "/", "x.png"),
        ("#a", "/static/", None),
        ("", "/static/", None),
        ("?x", "/static/", None),
        ("data:image/png;base64,AA", "/static/", None),
        ("blob:x", "/static/", None),
        ("about:blank", "/static/", None),
        ("mailto:a@b", "/static/", None),
        ("https://elsewhere.example/x.png", "/static/", None),
        ("//elsewhere.example/x.png", "/static/", None),
        ("/media/x.png", "/static/", None),
        ("../../x.png", "/static/", None),
        ("../img/", "/static/", None),
        ("http://[broken", "/static/", None),
    ],
)
def test_only_what_lies_below_the_base_url_is_an_asset(
    url: str, base_url: str, expected: str | None
) -> None:
    assert target(url, "css/app.css", base_url=base_url) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("x.png", "x.1.png"),
        ("../a/x.png?v=1#f", "../a/x.1.png?v=1#f"),
        ("/s/x.eot?#iefix", "/s/x.1.eot?#iefix"),
        ("a%20b/x.png", "a%20b/x.1.png"),
    ],
)
def test_only_the_last_part_of_a_url_changes(url: str, expected: str) -> None:
    name = "deep/" + expected.rpartition("/")[2].partition("?")[0]
    assert renamed(url, name) == expected


def test_a_quoted_name_stays_quoted() -> None:
    assert renamed("a%20b.png", "a b.1.png") == "a%20b.1.png"
