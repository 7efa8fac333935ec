"""Which file a dependency was installed from: of those that the lock allows, that of its tags."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.builder.distributions import Distribution
from castoff.builder.installer import IndexFile
from castoff.builder.locked_files import _candidates, _digest

LINUX = "manylinux_2_17_x86_64.manylinux2014_x86_64"
FILES = {
    "one-1-cp311-cp311-" + LINUX + ".whl": "a",
    "one-1-cp313-cp313t-" + LINUX + ".whl": "b",
    "one-1-py2.py3-none-any.whl": "c",
    "one-1-1-py2.py3-none-any.whl": "d",
    "one-1.tar.gz": "e",
}
BOTH = ("cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux2014_x86_64")


def files(*names: str) -> list[IndexFile]:
    return [IndexFile(name, frozenset({f"sha256:{FILES[name]}", "md5:0"})) for name in names]


def installed(*tags: str) -> Distribution:
    return Distribution(Path("one-1.dist-info"), "one", "1", (), "", tags, "", ())


@pytest.mark.parametrize(
    ("tags", "digest"),
    [
        (BOTH, "a"),
        (("cp313-cp313t-manylinux_2_17_x86_64", "cp313-cp313t-manylinux2014_x86_64"), "b"),
        # Of two builds of one wheel, the later.
        (("py2-none-any", "py3-none-any"), "d"),
        # Several wheels, none of which says so: it is not guessed.
        (("cp399-cp399-linux_x86_64",), None),
    ],
)
def test_tags_say_which_wheel_it_was(tags: tuple[str, ...], digest: str | None) -> None:
    assert _digest(installed(*tags), files(*FILES)) == digest


def test_what_has_no_wheel_was_built_from_its_sources() -> None:
    assert _digest(installed("py3-none-any"), files("one-1.tar.gz")) == "e"
    assert _digest(installed("py3-none-any"), []) is None


def test_the_only_wheel_there_is_may_say_other_tags_than_its_name() -> None:
    names = ("one-1-cp311-cp311-" + LINUX + ".whl", "one-1.tar.gz")
    assert _digest(installed("cp311-cp311-linux_x86_64"), files(*names)) == "a"


def test_what_the_lock_does_not_allow_was_not_installed() -> None:
    there = files(*FILES)
    assert [file.name for file in _candidates(there, {"sha256:e"})] == ["one-1.tar.gz"]
    assert _candidates(there, {"md5:0"}) == there
    assert _candidates(there, None) == there
    # What no index tells of may still be the only one that is allowed.
    assert _digest(installed("py3-none-any"), _candidates([], {"sha256:f"})) == "f"
    assert _candidates([], {"sha256:f", "sha256:0"}) == []
