"""Which Pythons a release is held to by what its wheels ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

from castoff.builder.cache import Cache
from castoff.builder.distributions import Distribution
from castoff.builder.errors import SourceError
from castoff.builder.known_bounds import known_bound
from castoff.builder.python_bounds import bound
from castoff.releaser.agent.specifier import fits

MARKERS = {
    "python_version": "3.11",
    "python_full_version": "3.11.7",
    "implementation_version": "3.11.7",
    "sys_platform": "linux",
}


def wheel(name: str, *requires: str, version: str = "1.0", python: str = "") -> Distribution:
    return Distribution(
        info=Path(f"{name}-{version}.dist-info"),
        name=name,
        version=version,
        requires=requires,
        requires_python=python,
        tags=(),
        generator="",
        files=(),
    )


@pytest.mark.parametrize(
    ("requires", "given", "expected"),
    [
        ((), "", ""),
        ((), ">=3.9", ">=3.9"),
        (('a; python_full_version < "3.11.3"',), "", ">=3.11.3"),
        (('a; python_full_version < "3.11.3"',), ">=3.9", ">=3.9,>=3.11.3"),
        (('a; python_full_version >= "3.11.9"',), ">=3.9", ">=3.9,<3.11.9"),
        (('a; python_version < "3.10"',), ">=3.8", ">=3.8,>=3.10"),
        # Where the project says nothing, hosts need the build's minor version at least.
        (('a; python_version < "3.10"',), "", ""),
        (('a; python_full_version < "3.9.5"',), ">=3.9.2", ">=3.9.2,>=3.9.5"),
        (('a; python_version < "3.9"',), ">=3.10", ">=3.10"),
        (('a; python_version >= "3.13"',), "", ">=3.11,<3.13"),
        (('b<2; python_version < "3.13"', 'b>=2; python_version >= "3.13"'), ">=3", ">=3,<3.13"),
        (('a; python_version < "3.9"', 'a; python_version >= "3.14"'), ">=3", ">=3,>=3.9,<3.14"),
        # Extras, other platforms, what is there, and what is amiss anyway say nothing.
        (('a; python_version < "3.10" and extra == "x"',), "", ""),
        (('a; python_version < "3.10" and sys_platform == "win32"',), "", ""),
        (('b; python_version < "3.10"',), "", ""),
        (('b>=2; python_version >= "3.8"',), "", ""),
    ],
)
def test_a_release_is_for_pythons_that_miss_nothing(
    requires: tuple[str, ...], given: str, expected: str
) -> None:
    found = bound(given, [wheel("asker", *requires), wheel("b", version="1.5")], MARKERS)

    assert found == expected
    # What hosts make of it is what packaging does.
    for minor in (8, 9, 10, 11, 13, 14):
        for micro in (0, 2, 3, 8, 9):
            wanted = SpecifierSet(found).contains(f"3.{minor}.{micro}")
            assert not found or fits((3, minor, micro), found) == wanted


def test_what_a_wheel_itself_can_run_on_counts_too() -> None:
    wheels = [
        wheel("a", python=">=3.10"),
        wheel("b", python="<3.14,!=3.9.*"),
        wheel("c", python=">4"),
    ]

    assert bound(">=3.8", wheels, MARKERS) == ">=3.8,>=3.10,<3.14"
    assert bound("", wheels, MARKERS) == ">=3.11,<3.14"


def test_a_constraint_that_says_nothing_is_refused() -> None:
    with pytest.raises(SourceError, match="requires-python: Invalid specifier: 'of this century'"):
        bound("of this century", [], MARKERS)


def test_what_was_found_is_found_again_unless_something_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(tmp_path / "cache")
    asked: list[str] = []

    def counted(requires_python: str, *rest: Any) -> str:
        asked.append(requires_python)
        return bound(requires_python, *rest)

    monkeypatch.setattr("castoff.builder.python_bounds.bound", counted)
    older = {**MARKERS, "python_full_version": "3.11.2"}
    asks = wheel("a", 'async-timeout; python_full_version < "3.11.3"')
    for own, there, markers in (
        ("", [asks], MARKERS),
        (">=3.9", [asks], MARKERS),
        (">=3.9", [asks, wheel("async-timeout")], MARKERS),
        (">=3.9", [wheel("a")], MARKERS),
        (">=3.9", [wheel("a", python=">=3.10")], MARKERS),
        (">=3.9", [asks, wheel("async-timeout")], older),
    ):
        before = len(asked)
        for _ in range(2):
            assert known_bound(own, there, markers, cache=cache) == bound(own, there, markers)
        assert len(asked) == before + 1
