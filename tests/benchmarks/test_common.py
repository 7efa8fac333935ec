"""What benchmarks share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from common.figures import Figure, seconds, size
from common.hosts import disk
from common.results import put_section, table
from common.tools import Unavailable, python_tool
from common.usage import TooLong, measure
from common.watch import Watch
from support.limits import cut_short
from support.processes import has_ended
from support.traps import wait_until


def test_a_section_is_put_at_the_end_and_then_in_its_own_place(tmp_path: Path) -> None:
    path = tmp_path / "RESULTS.md"
    put_section("build", "## Build\nslow", path=path)
    put_section("slides", "## Slides\n1", path=path)
    put_section("build", "## Build\nfast", path=path)
    text = path.read_text()
    assert text.startswith("# Results\n")
    assert "slow" not in text
    assert text.index("## Build\nfast") < text.index("## Slides\n1")
    assert text.count("<!-- build: begin -->") == text.count("<!-- build: end -->") == 1


def test_a_table_is_aligned_to_the_right_but_for_its_first_column() -> None:
    assert table(["tool", "time"], [["a", "1 s"]]) == "| tool | time |\n| --- | ---: |\n| a | 1 s |"


def test_figures_are_the_median_and_the_extremes() -> None:
    assert Figure.of([3.0, 1.0, 2.0]) == Figure(2.0, 1.0, 3.0)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (seconds(0.01234), "0.0123 s"),
        (seconds(234.5), "234 s"),
        (size(999), "999 B"),
        (size(21_300_000), "21.3 MB"),
    ],
)
def test_figures_have_three_digits(text: str, wanted: str) -> None:
    assert text == wanted


def test_downtime_is_from_the_first_failure_to_the_next_success() -> None:
    answers = [(0.0, True), (1.0, False), (2.0, False), (3.0, True), (4.0, False), (6.0, True)]
    watch = Watch({}, 1.0, {"web1": [(at, ok, "") for at, ok in answers]})
    assert watch.outages("web1") == [(1.0, 3.0), (4.0, 6.0)]
    assert watch.downtime("web1") == 4.0


def test_a_server_that_never_comes_back_is_an_error() -> None:
    watch = Watch({}, 1.0, {"web1": [(0.0, True, ""), (1.0, False, "")]})
    with pytest.raises(RuntimeError, match="web1 never served again"):
        watch.downtime("web1")


def test_a_command_s_memory_and_processor_time_include_its_children(tmp_path: Path) -> None:
    child = "import time; block = bytearray(60_000_000); time.sleep(0.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    argv = [sys.executable, "-c", parent]
    used = measure(argv, cwd=tmp_path, env={}, log=tmp_path / "log")
    assert used.memory > 60_000_000
    assert used.cpu > 0


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ended with 3:\nno\n"):
        measure(["sh", "-c", "echo no; exit 3"], cwd=tmp_path, env={}, log=tmp_path / "log")


def test_a_command_that_takes_too_long_is_ended_with_what_it_started(tmp_path: Path) -> None:
    script = "sleep 600 & echo $!; wait"
    log = tmp_path / "log"

    def run_for(limit: float) -> None:
        with pytest.raises(TooLong, match=f"not within {limit:g} s"):
            measure(["sh", "-c", script], cwd=tmp_path, env={}, log=log, limit=limit)

    cut_short(run_for, log)
    child = int(log.read_text())
    wait_until(lambda: has_ended(child), "what the command started still runs")


def test_disks_of_all_hosts_together_leave_memory_free() -> None:
    assert disk(1, most=10) == "10m"
    assert 1 <= int(disk(1000).removesuffix("m")) < 800


def test_a_tool_that_cannot_be_installed_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.tools._CACHE", tmp_path)
    with pytest.raises(Unavailable, match="uv pip install"):
        python_tool("./does-not-exist-anywhere")
