"""Which commits lie between two versions, in a real repository."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from castoff.builder.commits_between import MOST_NAMED, commits_between
from castoff.builder.git import Git
from castoff.store.commits import Commits
from support.site import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("between") / "site")


def commit(site: Site, message: str, path: str = "file.txt") -> str:
    old = site.folder / path
    site.write({path: (old.read_text() if old.exists() else "") + "x\n"})
    return site.commit(message)


def between(site: Site, before: str, after: str, folder: str = ".") -> Commits | None:
    return commits_between(Git(site.folder, os.environ), before, after, folder=folder)


def test_what_came_is_named_newest_first_and_going_back_takes_it_away(site: Site) -> None:
    start = commit(site, "start")
    commit(site, "Sell socks: 100 %\n\nThe body is not told.")
    end = commit(site, "Größe")

    found = between(site, start, end)

    assert found is not None
    assert [row.subject for row in found.gained] == ["Größe", "Sell socks: 100 %"]
    assert all(end.startswith(row.id) for row in found.gained[:1])
    assert (found.gained_count, found.lost, found.lost_count) == (2, (), 0)
    back = between(site, end, start)
    assert back is not None
    assert (back.lost, back.gained_count) == (found.gained, 0)
    assert between(site, end, end) == Commits()


def test_no_more_are_named_than_anybody_reads_and_all_are_counted(site: Site) -> None:
    start = commit(site, "start")
    for number in range(MOST_NAMED + 3):
        site.git("commit", "-q", "--allow-empty", "-m", f"number {number}")
    found = between(site, start, site.git("rev-parse", "HEAD").strip())
    assert found is not None
    assert (len(found.gained), found.gained_count) == (MOST_NAMED, MOST_NAMED + 3)


def test_an_app_in_a_folder_has_the_commits_that_touch_it(site: Site) -> None:
    start = commit(site, "start")
    commit(site, "of the shop", "shop/app.py")
    end = commit(site, "of the blog", "blog/app.py")
    found = between(site, start, end, "shop")
    assert found is not None
    assert [row.subject for row in found.gained] == ["of the shop"]


@pytest.mark.parametrize("before", ["c" * 40, "--output=x", "", "HEAD"])
def test_a_commit_that_is_not_there_or_is_none_is_not_known(site: Site, before: str) -> None:
    end = commit(site, "end")
    assert between(site, before, end) is None


def test_without_a_repository_nothing_is_known(tmp_path: Path) -> None:
    assert commits_between(Git(tmp_path, os.environ), "a" * 40, "b" * 40) is None


def test_a_shallow_clone_does_not_pretend_to_know(site: Site, tmp_path: Path) -> None:
    start = commit(site, "start")
    commit(site, "middle")
    end = commit(site, "end")
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "-q", "--depth", "1", site.folder.as_uri(), str(clone)],
        check=True,
        capture_output=True,
    )
    assert commits_between(Git(clone, os.environ), start, end) is None


def test_a_footer_that_says_so_marks_a_commit_that_breaks_something(site: Site) -> None:
    start = commit(site, "start")
    commit(site, "Tidy\n\nThe line BREAKING CHANGE: is no footer here.")
    end = commit(site, "Move it\n\nBREAKING CHANGE: all links")
    found = between(site, start, end)
    assert found is not None
    assert [row.breaking for row in found.gained] == [True, False]
