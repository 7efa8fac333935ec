from __future__ import annotations

import pytest

from castoff.builder.assets.tool import Input
from castoff.builder.assets.tools.gif import Gif
from castoff.builder.assets.tools.jpeg import Mozjpeg
from castoff.builder.assets.tools.png import Oxipng
from castoff.builder.assets.tools.svgo_py import SvgoPy
from castoff.builder.assets.tools.webp import Webp
from support import pictures


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1"])
def test_a_png_gets_smaller_and_shows_the_same(mode: str) -> None:
    before = pictures.png(mode)
    after = Oxipng().run(Input("a.png", before)).data
    assert len(after) < len(before)
    assert pictures.pixels(after) == pictures.pixels(before)


def test_a_jpeg_gets_smaller_and_shows_the_same() -> None:
    before = pictures.jpeg()
    after = Mozjpeg().run(Input("a.jpg", before)).data
    assert len(after) < len(before)
    assert pictures.pixels(after) == pictures.pixels(before)
    assert b"drawn by a test" not in after


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_turned_jpeg_stays_turned(orientation: int) -> None:
    before = pictures.jpeg(orientation=orientation)
    after = Mozjpeg().run(Input("a.jpg", before)).data
    assert pictures.orientation(after) == orientation
    assert pictures.pixels(after) == pictures.pixels(before)


def test_a_colour_profile_is_kept() -> None:
    before = pictures.jpeg(profile=b"a profile, so to say")
    after = Mozjpeg().run(Input("a.jpg", before)).data
    assert pictures.profile(after) == b"a profile, so to say"


def test_a_lossless_webp_gets_smaller_and_shows_the_same() -> None:
    before = pictures.webp(profile=b"a profile, so to say")
    after = Webp().run(Input("a.webp", before)).data
    assert len(after) < len(before)
    assert pictures.pixels(after) == pictures.pixels(before)
    assert pictures.profile(after) == b"a profile, so to say"
    assert b"drawn by a test" not in after
    turned = Webp().run(Input("a.webp", pictures.webp(orientation=6))).data
    assert pictures.orientation(turned) == 6


def test_a_gif_gets_smaller_and_shows_the_same() -> None:
    before = pictures.gif()
    after = Gif().run(Input("a.gif", before)).data
    assert len(after) < len(before)
    assert pictures.pixels(after) == pictures.pixels(before)
    assert b"drawn by a test" not in after
    assert Gif().run(Input("a.gif", after)).data == after


def test_a_gif_that_moves_stays() -> None:
    before = pictures.gif(moving=True)
    assert Gif().run(Input("a.gif", before)).data == before


@pytest.mark.parametrize("before", [pictures.webp(lossless=False), pictures.webp(moving=True)])
def test_a_webp_that_could_only_lose_stays(before: bytes) -> None:
    assert Webp().run(Input("a.webp", before)).data == before


def test_a_second_time_changes_nothing() -> None:
    for tool, data in (
        (Oxipng(), pictures.png()),
        (Mozjpeg(), pictures.jpeg()),
        (Webp(), pictures.webp()),
        (Gif(), pictures.gif()),
    ):
        once = tool.run(Input("a", data)).data
        assert tool.run(Input("a", once)).data == once


def test_symbols_that_other_files_name_are_kept() -> None:
    sprite = (
        '<svg xmlns="http://www.w3.org/2000/svg" style="display:none">'
        '<symbol id="home" viewBox="0 0 8 8"><path d="M0 0h8v8z"/></symbol></svg>'
    )
    after = SvgoPy().run(Input("sprite.svg", sprite.encode())).data.decode()
    assert 'id="home"' in after
    assert 'viewBox="0 0 8 8"' in after
    assert "<path" in after


@pytest.mark.parametrize(
    "inside", ['<font><glyph unicode="&#xa0;"/></font>', "<script>a()</script>"]
)
def test_fonts_and_programs_are_no_pictures_and_stay(inside: str) -> None:
    text = f'<svg xmlns="http://www.w3.org/2000/svg">\n<!-- x -->{inside}</svg>'.encode()
    assert SvgoPy().run(Input("a.svg", text)).data == text
