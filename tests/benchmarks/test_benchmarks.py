"""Each benchmark at its smallest: it runs, and what it says is right, whatever the time it took."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"

pytestmark = pytest.mark.fleet


def run(folder: Path, script: str, *words: str) -> tuple[list[dict[str, Any]], str]:
    """Run a benchmark; return its figures and the report that it printed."""
    figures = folder / "figures.json"
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / script), *words, "--json", str(figures)],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(figures.read_text()), done.stdout


@pytest.fixture
def isolated(fleet_kind: str) -> None:
    """Skip where hosts have no network of their own."""
    if fleet_kind != "namespaces":
        pytest.skip("each host needs a network of its own (root and network namespaces)")


@pytest.mark.usefixtures("fleet_kind")
def test_our_steps_in_a_row_do_not_grow_with_hosts_and_the_serial_script_s_do(
    tmp_path: Path,
) -> None:
    only = ("--only", "3 several", "--only", "Castoff, all steps")
    runs, report = run(tmp_path, "slides.py", "--hosts", "1,2", "--scale", "0.02", *only)
    rounds = {(one["strategy"], one["hosts"]): one["rounds"] for one in runs}
    assert rounds["3 several servers", 1] == 7
    assert rounds["3 several servers", 2] == 14
    ours = "Castoff, all steps on every host"
    assert rounds[ours, 1] == rounds[ours, 2]
    for one in runs:
        assert list(one["downtime"]) == [f"web{number}" for number in range(1, one["hosts"] + 1)]
        assert all(0 < seconds <= one["total"] for seconds in one["downtime"].values())
    assert f"| {ours} |" in report


@pytest.mark.sweep
@pytest.mark.usefixtures("fleet_kind")
def test_what_a_host_costs_is_measured_on_real_and_on_fake_ones(tmp_path: Path) -> None:
    words = ("--real", "1", "--fake", "1,3", "--repeat", "1")
    samples, report = run(tmp_path, "scale.py", *words)
    assert [(s["hosts"], s["fake"]) for s in samples if s["what"] == "activate"] == [
        (1, False),
        (1, True),
        (3, True),
    ]
    assert all(sample["cpu"] > 0 and sample["threads"] > 0 for sample in samples)
    assert "| 3, fake |" in report


@pytest.mark.sweep
@pytest.mark.usefixtures("fleet_kind")
def test_a_zone_by_one_connection_is_measured_beside_a_connection_each(tmp_path: Path) -> None:
    words = ("--hosts", "6", "--zones", "2", "--repeat", "1")
    samples, report = run(tmp_path, "relays.py", *words)
    sockets = {(one["way"], one["what"]): one["sockets"] for one in samples}
    assert sockets["relayed", "activate"] == 2
    assert sockets["direct", "activate"] == 6
    assert "| activate, relayed |" in report


@pytest.mark.usefixtures("isolated")
def test_a_release_and_a_rollback_are_measured_on_the_wire_of_each_host(tmp_path: Path) -> None:
    words = ("--small", "--hosts", "2", "--repeat", "1", "--tools", "castoff")
    samples, report = run(tmp_path, "release.py", *words)
    assert [sample["what"] for sample in samples] == ["first", "release", "rollback"]
    for sample in samples:
        assert 0 < sample["prepared"] <= sample["prepared"] + sample["activation"]
        assert sample["wire"] > 0
        assert sample["cpu"] > 0
        assert sample["memory"] > 0
    assert "| Castoff |" in report


@pytest.mark.sweep
@pytest.mark.usefixtures("isolated")
def test_a_tool_that_does_not_end_in_time_is_told_of_and_the_others_go_on(tmp_path: Path) -> None:
    words = ("--small", "--hosts", "2", "--repeat", "1", "--tools", "fabric,rsync")
    samples, report = run(tmp_path, "release.py", *words, "--limit", "0.2")
    tools = ("Fabric", "rsync + mv -T, parallel")
    assert [(one["tool"], one["reason"]) for one in samples] == [
        (tool, "not within 0.2 s on 2 of 2") for tool in tools
    ]
    assert all(f"| {tool} | not within 0.2 s on 2 of 2 |" in report for tool in tools)


@pytest.mark.sweep
@pytest.mark.usefixtures("isolated")
def test_a_commit_is_deployed_with_its_dependencies_by_us_and_by_a_loop(tmp_path: Path) -> None:
    words = ("--small", "--hosts", "1", "--repeat", "1", "--tools", "castoff,loop")
    samples, report = run(tmp_path, "commit.py", *words)
    assert [(one["tool"], one["what"]) for one in samples] == [
        (tool, what)
        for tool in ("Castoff", "shell loop over ssh")
        for what in ("first", "line", "bump")
    ]
    wire = {(one["tool"], one["what"]): one["wire"] for one in samples}
    assert wire["shell loop over ssh", "bump"] > 5_000_000, "the wheel of Django"
    assert wire["Castoff", "bump"] < wire["shell loop over ssh", "bump"]
    assert "### One line of code: 1 host" in report


@pytest.mark.sweep
@pytest.mark.usefixtures("isolated")
def test_a_first_release_is_measured_beside_a_line_of_shell(tmp_path: Path) -> None:
    words = ("--small", "--repeat", "1", "--rates", "20mbit")
    samples, report = run(tmp_path, "first.py", *words)
    tools = ["Castoff", "Castoff, from a bucket", "curl | sha256sum | tar"]
    assert [sample["tool"] for sample in samples] == tools
    assert "| 20mbit |" in report


@pytest.mark.sweep
@pytest.mark.usefixtures("isolated")
def test_a_slow_host_and_a_narrow_line_are_measured(tmp_path: Path) -> None:
    words = ("--small", "--repeat", "1", "--hosts", "2", "--site", "3")
    samples, report = run(tmp_path, "uplink.py", *words)
    releases = [one for one in samples if "tool" in one]
    assert len(releases) == 4, "two releases by Castoff, two by rsync"
    for one in releases:
        assert list(one["prepared"]) == list(one["serves"]) == ["web1", "web2"]
    ours = [one for one in releases if one["tool"] == "Castoff"]
    assert [one["too_early"] for one in ours] == [0, 0]
    behind = {one["way"]: one for one in samples if "way" in one}
    assert all(one["carried"] > 0 for one in behind.values())
    assert "peer" not in behind["without peers"]["fetched"]
    assert behind["with peers"]["fetched"]["peer"] > 0
    assert "### 3 hosts behind one line of 20mbit" in report


@pytest.mark.sweep
@pytest.mark.usefixtures("isolated")
def test_bytes_of_a_release_are_counted_for_all_ways_that_can_be_had(tmp_path: Path) -> None:
    samples, report = run(tmp_path, "bytes.py", "--small", "--releases", "1")
    wire = {sample["way"]: sample["wire"] for sample in samples}
    for sample in samples:
        assert 0 < sample["counted"] < sample["wire"]
    assert wire["Castoff, patches"] < wire["Castoff, ranges"]
    assert wire["zstd -19 --patch-from"] < wire["whole archive"]
    assert all(f"| {way} |" in report for way in wire)


@pytest.mark.skipif(shutil.which("rclone") is None, reason="rclone is not installed")
def test_assets_are_pushed_beside_rclone_and_only_those_that_changed(tmp_path: Path) -> None:
    uploads, report = run(tmp_path, "assets.py", "--files", "40", "--rounds", "1")
    ours = {one["what"]: one["sent"] for one in uploads if one["tool"] == "castoff push"}
    assert ours == {"all new": 40, "ten changed": 10, "nothing changed": 0}
    assert {one["tool"] for one in uploads} > {"castoff push", "rclone copy"}
    assert "40 files" in report
