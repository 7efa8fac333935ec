"""The page of a release in real headless Chromium: widths, colours, keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from castoff.cli.render.report_page import report_page
from castoff.store.history import Entry
from support import chromium
from support.browser import Browser, browser
from support.entries import entry, released, rolled_back, with_commits_and_plan

pytestmark = pytest.mark.skipif(chromium.program() is None, reason="needs Chromium")

HOSTILE = (
    "</pre><script>document.title = 'taken'</script><img src=x onerror=document.title='taken'>"
)
ENTRIES = {
    "released": released(),
    "many": released(40),
    "back": rolled_back(),
    "interrupted": entry((), outcome="interrupted", detail="x" * 500),
    "hostile": with_commits_and_plan(released(said=HOSTILE), subject=HOSTILE),
    "planned": with_commits_and_plan(released(12), subject="x" * 190),
}
# Text and what lies behind it; the names are those of the style sheet's variables.
TEXT = [
    ("ink", "paper"),
    ("ink", "card"),
    ("muted", "paper"),
    ("muted", "card"),
    ("failed", "card"),
    ("card", "ink"),
    *(("on-bar", bar) for bar in ("prepare", "once", "check", "back", "failed")),
]
SHAPES = [
    (shape, "card")
    for shape in ("prepare", "once", "ink", "check", "back", "failed", "down", "muted")
]


def page(of: Entry) -> str:
    return report_page(of, app="shop", environment="production")


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium") / "profile") as opened:
        yield opened


@pytest.fixture
def show(tab: Browser, tmp_path: Path) -> Any:
    def shown(name: str, width: int = 1280, *, dark: bool = False) -> Browser:
        path = tmp_path / f"{name}.html"
        path.write_text(page(ENTRIES[name]), encoding="utf-8")
        tab.open(path.as_uri(), width=width, dark=dark)
        return tab

    return shown


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ENTRIES)
def test_nothing_is_wider_than_the_window(show: Any, name: str, width: int) -> None:
    tab: Browser = show(name, width)
    # With every log unfolded, as the widest lines are there.
    tab.value("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert tab.value("document.documentElement.scrollWidth") == width
    assert (
        tab.value(
            "[...document.querySelectorAll('section *, dl *')].filter(e => e.clientWidth &&"
            " !e.closest('.track') && !e.closest('.axis') &&"
            f" e.getBoundingClientRect().right > {width}).map(e => e.outerHTML)"
        )
        == []
    )


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_can_be_pictured_in_light_and_dark(
    show: Any, tmp_path: Path, width: int, dark: bool
) -> None:
    tab: Browser = show("back", width, dark=dark)
    background = tab.value("getComputedStyle(document.body).backgroundColor")
    levels = [int(level) for level in re.findall(r"\d+", background)]
    assert max(levels) < 64 if dark else min(levels) > 192
    picture = tmp_path / "page.png"
    tab.picture(picture)
    assert picture.stat().st_size > 10_000


@pytest.mark.parametrize("dark", [False, True])
def test_colours_contrast_enough(show: Any, dark: bool) -> None:
    tab: Browser = show("released", dark=dark)
    names = {name for pair in (*TEXT, *SHAPES) for name in pair}
    colours = {
        name: tab.value(f"getComputedStyle(document.documentElement).getPropertyValue('--{name}')")
        for name in names
    }
    for pairs, least in ((TEXT, 4.5), (SHAPES, 3.0)):
        for front, back in pairs:
            assert contrast(colours[front], colours[back]) >= least, (front, back)


def test_the_pages_own_colours_are_all_among_those_that_are_measured(show: Any) -> None:
    tab: Browser = show("released")
    sheet = tab.value("document.querySelector('style').textContent")
    defined = set(re.findall(r"--([a-z-]+): #", sheet))
    measured = {name for pair in (*TEXT, *SHAPES) for name in pair}
    assert defined - measured == {"line"}, "rules between rows, which say nothing"
    rules = re.sub(r":root \{[^}]*\}", "", sheet)
    assert not re.search(r"#[0-9a-f]{3,8}\b", rules)


def test_tab_goes_past_the_skip_link_along_the_bars_to_the_logs(show: Any) -> None:
    tab: Browser = show("released", 360)
    order: list[str] = []
    while len(order) < 100:
        tab.press("Tab")
        if tab.value("document.activeElement === document.body"):
            break
        order.append(tab.value("document.activeElement.getAttribute('href') || 'log'"))
    assert order[0] == "#steps"
    whole = [f"#log-1-{n}" for n in range(1, 8)]
    whole += [f"#log-{host}-{n}" for host in (2, 3) for n in range(1, 6)]
    assert order[1:18] == whole
    assert order[-3:] == ["log"] * 3


def test_focus_shows_the_times_of_a_step_and_enter_its_log(show: Any) -> None:
    tab: Browser = show("released", 360)
    assert shown_tips(tab) == []
    for _ in range(5):
        tab.press("Tab")
    assert shown_tips(tab) == ["migrate: 0.40 s (from 10.00 to 10.40 s after the start)"]
    assert tab.value("document.documentElement.scrollWidth") == 360
    tab.press("Enter")
    assert tab.value("document.querySelector(':target pre').textContent") == "shop.0002... OK"
    assert tab.value("document.querySelector(':target pre').checkVisibility()") is True


def test_the_mouse_shows_the_times_as_well(show: Any) -> None:
    tab: Browser = show("released")
    tab.point_at(".lane:nth-of-type(4) .prepare:nth-of-type(2) a")
    assert shown_tips(tab) == ["prepare: 9.00 s (from 0.25 to 9.25 s after the start)"]


def test_nothing_is_fetched_and_nothing_from_a_host_runs(show: Any) -> None:
    tab: Browser = show("hostile")
    assert tab.value("document.title").startswith("Release of shop")
    assert tab.value("document.scripts.length + document.images.length") == 0
    assert tab.value("document.querySelectorAll('details pre').length") == 4
    asked = [event["request"]["url"] for event in tab.happened("Network.requestWillBeSent")]
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in asked if url.startswith("file:")]) == 1
    assert tab.happened("Log.entryAdded") == []


def shown_tips(tab: Browser) -> list[str]:
    found: list[str] = tab.value(
        "[...document.querySelectorAll('.tip')].filter(t => t.checkVisibility())"
        ".map(t => t.textContent)"
    )
    return found


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours `#rrggbb` (WCAG 2.2, 1.4.3)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    levels = [int(colour.strip()[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
