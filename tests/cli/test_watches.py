"""What a person sees while a release runs: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import os
import pty
import subprocess
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from castoff.cli.render.lines import LineWatch
from castoff.cli.render.live import LiveWatch
from castoff.cli.render.report import print_report
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store.file import FileStore
from support.local_scope import publish
from support.site import CASTOFF, Site


def shown(watch: LiveWatch, console: Console) -> str:
    with console.capture() as capture:
        console.print(watch._render())
    return capture.get()


def test_the_live_table_has_a_line_a_host_with_step_and_progress() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    watch = LiveWatch(["web1", "web2"], "release 2 to production", console)
    watch.phase("prepare")
    watch.begin("web1", "prepare")
    watch.progress("web1", "fetch", 50, 100)
    watch.begin("web2", "prepare")
    watch.end("web2", "prepare", 1.5, "web2: the disk is full")
    text = shown(watch, console)
    assert "release 2 to production  prepare" in text
    assert "prepare (fetch)" in text
    assert "1.5 s" in text
    assert "the disk is full" in text


def test_of_very_many_hosts_the_live_table_shows_those_that_matter() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    hosts = [f"web{number}" for number in range(1_000)]
    watch = LiveWatch(hosts, "release 2 to production", console)
    for host in hosts[:900]:
        watch.begin(host, "prepare")
    for host in hosts[:800]:
        watch.end(host, "prepare", 1.5, "web5: no space" if host == "web5" else None)
    lines = shown(watch, console).splitlines()
    assert len(lines) == 26
    assert "web5 " in lines[1]
    assert all("prepare" in line for line in lines[1:-1])
    assert lines[-1].strip() == "of 1000 hosts: 1 failed, 100 at work, 100 waiting, 799 done"


def test_a_report_of_very_many_hosts_sums_them_up() -> None:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    timeline = Timeline(Silent())
    hosts = [f"web{number}" for number in range(40)]
    for host in hosts:
        with suppress(ValueError), timeline.step(host, "prepare"):
            if host == "web7":
                raise ValueError
    with console.capture() as capture:
        print_report(timeline, hosts, console)
    head, row, *_ = capture.get().splitlines()
    assert head.split() == [
        "step",
        "hosts",
        "failed",
        "fastest",
        "median",
        "slowest",
        "slowest",
        "host",
    ]
    assert row.split()[:3] == ["prepare", "40", "1"]


def test_a_question_in_the_live_table_may_be_answered_in_advance() -> None:
    console = Console(file=io.StringIO(), force_terminal=True)
    assert LiveWatch([], "", console, yes=True).ask("Go on?")


def test_plain_lines_say_what_happened_and_never_yes_by_themselves() -> None:
    stream = io.StringIO()
    watch = LineWatch(stream)
    watch.phase("prepare")
    watch.output("web1", "migrate", "one")
    watch.end("web1", "migrate", 2.0, None)
    watch.end("web2", "prepare", 1.0, "web2: no space")
    assert not watch.ask("Go on?")
    lines = [line[9:] for line in stream.getvalue().splitlines()]
    assert lines == [
        "== prepare",
        "web1  migrate | one",
        "web1  migrate  done in 2.0 s",
        "web2  prepare  FAILED after 1.0 s: web2: no space",
        "Go on? Nobody can be asked here; `--yes` answers in advance.",
    ]
    assert LineWatch(stream, yes=True).ask("Go on?")


def test_a_release_on_a_terminal_shows_the_table_and_leaves_the_report(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.write(
        {
            "castoff.toml": '[apps.pages]\n[environments.e]\ntransport = "local"\n'
            'root = "./hosts/{host}"\nhosts = [{ name = "web1" }, { name = "web2" }]\n'
        }
    )
    store = FileStore(site.folder / "artifacts/store", url="file://store")
    publish(store, tmp_path / "built", "1")
    environment = {k: v for k, v in site.environment().items() if k != "CI"}
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [str(CASTOFF), "release", "1"],
        cwd=site.folder,
        env={**environment, "TERM": "xterm", "COLUMNS": "100"},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        seen = b""
        while True:
            try:
                data = os.read(controller, 65_536)
            except OSError:  # how Linux says that the other end of a terminal is closed
                break
            seen += data
        os.close(controller)
    assert process.returncode == 0, seen
    text = seen.decode()
    assert "\x1b[" in text, "a live table moves the cursor"
    assert "release 1 to e" in text
    assert "potential downtime" in text
    assert "1 is live on 2 hosts of e" in text
