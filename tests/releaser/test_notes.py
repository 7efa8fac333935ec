"""Release notes from commits: how they are sorted, linked and written."""

from __future__ import annotations

import pytest

from castoff.releaser.notes.forge import forge_of
from castoff.releaser.notes.notes import make_notes
from castoff.releaser.notes.write import as_json, markdown, text
from castoff.store.commits import CommitRow, Commits


def commits(*subjects: str, more: int = 0) -> Commits:
    rows = tuple(CommitRow(id=f"{n:07x}", subject=one) for n, one in enumerate(subjects))
    return Commits(gained=rows, gained_count=len(rows) + more)


def test_subjects_with_types_are_sorted_and_what_breaks_comes_first() -> None:
    rows = commits(
        "feat(cart): Sell socks", "fix!: Count them", "chore: Tidy", "FEAT: Hats", "Sell shoes"
    )
    footer = CommitRow(id="fffffff", subject="refactor: Move it", breaking=True)
    rows = Commits(gained=(*rows.gained, footer), gained_count=6)
    notes = make_notes("2", "1", rows)
    assert text(notes) == (
        "2 (since 1)\n"
        "\nBreaking changes:\n  0000001 Count them\n  fffffff Move it\n"
        "\nFeatures:\n  0000000 cart: Sell socks\n  0000003 Hats\n"
        "\nOther changes:\n  0000002 Tidy\n  0000004 Sell shoes\n"
    )


def test_a_subject_that_happens_to_have_the_form_sorts_nothing() -> None:
    notes = make_notes("2", "1", commits("Sell socks", "Sell hats", "fix(x)!: Count", more=7))
    assert text(notes) == (
        "2 (since 1)\n\n  0000000 Sell socks\n  0000001 Sell hats\n  0000002 fix(x)!: Count\n"
        "  and 7 more\n"
    )


def test_what_went_is_told_last() -> None:
    lost = Commits(lost=(CommitRow(id="abcdef0", subject="Sell umbrellas"),), lost_count=1)
    assert text(make_notes("1", "2", lost)) == (
        "1 (since 2)\n\nTaken back:\n  abcdef0 Sell umbrellas\n"
    )


def test_no_commits_and_unknown_ones_are_not_the_same() -> None:
    assert "No changes." in text(make_notes("2", "1", Commits()))
    assert "not known here" in text(make_notes("2", "1", None))
    assert as_json(make_notes("2", "1", None))["known"] is False


def test_markdown_has_links_and_nothing_of_a_subject_means_anything() -> None:
    notes = make_notes(
        "2",
        "1",
        commits("Use `a_b` not <b>*x*</b> [y](http://evil)"),
        origin="git@github.com:owner/shop.git",
        ends=("a" * 40, "b" * 40),
    )
    assert markdown(notes) == (
        "# 2 (since 1)\n\n"
        r"- Use `a_b` not \<b\>\*x\*\</b\> \[y\](http://evil)"
        " ([`0000000`](https://github.com/owner/shop/commit/0000000))\n\n"
        f"[All changes](https://github.com/owner/shop/compare/{'a' * 40}...{'b' * 40})\n"
    )


@pytest.mark.parametrize(
    ("origin", "page"),
    [
        ("https://github.com/o/p.git", "https://github.com/o/p/commit/abc"),
        ("https://user:token@github.com/o/p", "https://github.com/o/p/commit/abc"),
        ("ssh://git@gitlab.my.org:2222/g/s/p.git", "https://gitlab.my.org/g/s/p/-/commit/abc"),
        ("git@gitlab.com:g/s/p.git", "https://gitlab.com/g/s/p/-/commit/abc"),
    ],
)
def test_pages_are_known_by_the_host(origin: str, page: str) -> None:
    forge = forge_of(origin)
    assert forge is not None
    assert forge.commit("abc") == page


@pytest.mark.parametrize(
    "origin",
    ["", "/srv/git/p.git", "../p", "file:///srv/p", "https://git.example.org/o/p", "https://["],
)
def test_pages_of_others_are_not_made_up(origin: str) -> None:
    assert forge_of(origin) is None
