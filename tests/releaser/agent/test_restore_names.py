"""What a restore replaces is kept under a name that no other restore has."""

from __future__ import annotations

from castoff.releaser.agent.builtins.database import SqlDatabase
from castoff.releaser.agent.builtins.restore import stamp

# PostgreSQL and MySQL cut longer names, or refuse them.
_LONGEST = 63
_NAME = "n" * 40


def test_two_restores_in_one_second_keep_what_they_replace_apart() -> None:
    moments = [1_800_000_000 + tenth / 10 + 0.01 for tenth in range(10)]
    assert len({stamp(moment) for moment in moments}) == len(moments)


def test_the_longest_name_of_a_database_still_fits() -> None:
    beside, kept = SqlDatabase(_NAME, {}, None).names(stamp(1_800_000_000.0))
    assert len(beside) <= _LONGEST
    assert len(kept) == _LONGEST
