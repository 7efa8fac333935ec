"""What is computed from the moments that a release to a fleet with a slow host had."""

from __future__ import annotations

import argparse

import pytest
from uplink_work.behind import WITH, WITHOUT, Behind
from uplink_work.report import report
from uplink_work.straggler import CHANGE, FIRST, OURS, WHAT, Straggler

PREPARED = {"web1": 2.0, "web2": 20.0}
BARRIER = {"web1": 21.0, "web2": 21.5}
AT_ONCE = {"web1": 3.0, "web2": 21.0}


@pytest.mark.parametrize(
    ("serves", "too_early", "mixed"), [(BARRIER, 0, 0.5), (AT_ONCE, 1, 18.0)], ids=["we", "they"]
)
def test_who_serves_before_all_are_prepared_is_too_early(
    serves: dict[str, float], too_early: int, mixed: float
) -> None:
    release = Straggler("tool", WHAT[FIRST], PREPARED, serves, 22.0)
    assert release.too_early == too_early
    assert release.mixed == mixed


def test_ratios_are_of_the_same_release_and_of_one_archive() -> None:
    stragglers = [
        Straggler(tool, WHAT[version], PREPARED, serves, total)
        for tool, serves, total in ((OURS, BARRIER, 20.0), ("rsync", AT_ONCE, 30.0))
        for version in (FIRST, CHANGE)
    ]
    behind = [
        Behind(WITHOUT, 16, {"web1": 40.0, "web2": 60.0}, 16_000_000, {"url": 16_000_000}, 62.0),
        Behind(WITH, 16, {"web1": 4.0, "web2": 6.0}, 2_000_000, {"peer": 15_000_000}, 8.0),
    ]
    options = argparse.Namespace(hosts=2, rate="20mbit", site=16, uplink="16mbit", repeat=1)
    text = report(stragglers, behind, 1_000_000, 20_000, options)
    assert "| rsync | 2 s … 2 s | 20 s | 3 s | 21 s | 18 s | 1 of 2 | 30 s | 1.50 x |" in text
    assert "| with peers | 2 MB | 2.00 x | 1 s | 4 s | 6 s | 8 s | 15 MB |" in text
    assert "the file table of 20 kB" in text
    assert "8.0 times fewer bytes come over the line, and all hosts are prepared 10.0 times" in text
