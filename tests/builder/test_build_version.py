from __future__ import annotations

import pytest

from castoff.builder.commit import Commit
from castoff.builder.version import derive
from castoff.store.errors import UsageError

SHA = "0123456789abcdef0123456789abcdef01234567"
TIME = 1_709_214_301  # 2024-02-29 13:45:01 UTC


def commit(*tags: str, ref: str = "HEAD") -> Commit:
    return Commit(SHA, ref, TIME, tags)


@pytest.mark.parametrize(
    ("tags", "version"),
    [
        ((), "20240229.134501-g0123456789"),
        (("latest", "nightly"), "20240229.134501-g0123456789"),
        (("v1",), "20240229.134501-g0123456789"),
        (("v1.2.3",), "1.2.3"),
        (("1.2.3",), "1.2.3"),
        (("v1.2.3-rc1",), "1.2.3-rc1"),
        (("v1.9.0", "v1.10.0", "latest"), "1.10.0"),
        (("v1.2.0rc1", "v1.2.0"), "1.2.0"),
    ],
)
def test_a_release_tag_gives_the_version_and_else_time_and_id(
    tags: tuple[str, ...], version: str
) -> None:
    assert derive(commit(*tags), given=None, dirty_tree="") == version


def test_the_tag_that_was_asked_for_wins() -> None:
    asked = commit("v1.0.0", "v2.0.0", ref="v1.0.0")
    assert derive(asked, given=None, dirty_tree="") == "1.0.0"


def test_a_given_version_wins_over_tags_but_not_over_dirt() -> None:
    assert derive(commit("v1.0.0"), given="7", dirty_tree="") == "7"
    assert derive(commit("v1.0.0"), given="7", dirty_tree="a" * 40) == "7+dirty.aaaaaaaa"


def test_what_could_not_name_a_folder_is_refused() -> None:
    with pytest.raises(UsageError):
        derive(commit(), given="-rf", dirty_tree="")
    with pytest.raises(UsageError):
        derive(commit(), given="1" * 60, dirty_tree="a" * 40)
