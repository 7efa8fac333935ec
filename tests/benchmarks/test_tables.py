"""The tables of what tools took, and of what they could not do."""

from __future__ import annotations

from release_work.sample import Failure, Sample
from release_work.tables import Results


def _sample(tool: str, hosts: int, total: float, what: str = "release") -> Sample:
    return Sample(tool, what, hosts, total / 2, 0.1, total, 1000, 0.5, 10_000_000, 0, {})


RESULTS = Results(
    [
        *(_sample("ours", 4, total) for total in (1.0, 2.0, 9.0)),
        _sample("ours", 64, 5.0),
        _sample("theirs", 4, 4.0),
    ],
    [
        Failure("theirs", "release", 64, "failed on 8 of 64"),
        Failure("slow", "first", 64, "not within 180 s on 64 of 64"),
    ],
    "ours",
)


def test_totals_are_medians_with_the_extremes_and_the_ratio_to_ours() -> None:
    ours, theirs = RESULTS.of_fleet("release", 4).splitlines()[2:]
    assert ours.startswith("| ours | 2 s (1 … 9) | 1.00 x | 1 s | 0.1 s | 1 kB | 0.5 s | 10 MB |")
    assert theirs.startswith("| theirs | 4 s (4 … 4) | 2.00 x |")


def test_a_tool_that_failed_stands_in_the_table_with_the_reason() -> None:
    assert "| theirs | failed on 8 of 64 |" in RESULTS.of_fleet("release", 64)
    assert "| theirs | 4 s | failed on 8 of 64 |" in RESULTS.totals("release")
    assert "| slow | - | not within 180 s on 64 of 64 |" in RESULTS.totals("first")


def test_lines_have_points_where_there_are_samples() -> None:
    lines = RESULTS.lines("release", "wire", 1000)
    assert lines == {"ours": [(4, 1.0), (64, 1.0)], "theirs": [(4, 1.0)]}
