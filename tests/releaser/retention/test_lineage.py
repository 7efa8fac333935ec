"""Which version a rollback goes to."""

from __future__ import annotations

import pytest

from castoff.releaser.retention.lineage import before, good_versions
from castoff.store.history import Entry


def entry(number: int, text: str) -> Entry:
    """Make an entry from `kind version[ outcome]`."""
    kind, version, *outcome = text.split(" ", 2)
    return Entry.model_validate(
        {
            "number": number,
            "kind": kind,
            "version": version,
            "from_version": None,
            "outcome": outcome[0] if outcome else "released",
            "who": "t@t",
            "started": 0.0,
            "ended": 0.0,
            "commit": "c",
            "detail": "",
            "activation_seconds": None,
            "hosts": (),
        }
    )


@pytest.mark.parametrize(
    ("story", "stack"),
    [
        ([], []),
        (["release 1"], ["1"]),
        (["release 1", "release 2"], ["1", "2"]),
        (["release 1", "release 1"], ["1"]),
        (["release 1", "release 2", "rollback 1"], ["1"]),
        (["release 1", "release 2", "release 3", "rollback 2", "rollback 1"], ["1"]),
        (["release 1", "release 2", "rollback 1", "release 3"], ["1", "3"]),
        (["release 1", "release 2 failed", "release 3 rolled back"], ["1"]),
        (["release 1", "prepare 2 prepared", "activate 2"], ["1", "2"]),
        (["release 2", "rollback 1"], ["2", "1"]),
        (["release 1", "release 2", "release 1"], ["1", "2", "1"]),
    ],
)
def test_failures_never_count_and_a_rollback_takes_off_what_it_left(
    story: list[str], stack: list[str]
) -> None:
    assert good_versions(entry(n, text) for n, text in enumerate(story, 1)) == stack


@pytest.mark.parametrize(
    ("stack", "current", "previous"),
    [
        ([], None, None),
        (["1"], "1", None),
        (["1", "2"], "2", "1"),
        (["1", "2"], "9", "2"),
        (["1", "2", "1"], "1", "2"),
    ],
)
def test_the_version_before_the_current_one(
    stack: list[str], current: str | None, previous: str | None
) -> None:
    assert before(stack, current) == previous


def test_two_rollbacks_in_a_row_never_return_to_a_version_that_was_left() -> None:
    story = ["release 1", "release 2", "release 3"]
    for expected in ("2", "1"):
        stack = good_versions(entry(n, text) for n, text in enumerate(story, 1))
        target = before(stack, stack[-1])
        assert target == expected
        story.append(f"rollback {target}")
