"""What a build has started ends with it, even where it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# A tool that starts another in the background, which starts one more, and waits for it.
TOOL = "sh -c 'sleep 600 & echo $! >>pids; wait' & echo $! >>pids; echo $$ >>pids; wait"
# One more is nobody's child, and in the tool's group alone.
GROUP = f"(sleep 600 & echo $! >>pids); {TOOL}"
ENDED_TOOL = "echo $$ >>ended"
INSTALLER = f"""
import os, signal
signal.signal(signal.SIGTERM, signal.default_int_handler)
from pathlib import Path
from castoff.builder.process import run
here = {{"cwd": Path.cwd(), "env": dict(os.environ), "task": "test"}}
run(["sh", "-c", "{ENDED_TOOL}"], **here)
run(["sh", "-c", {TOOL!r}], **here)
"""
ASSETS = f"""
import os
from pathlib import Path
from castoff.builder.assets.child import run
here = {{"shown": "test", "folder": Path.cwd(), "env": dict(os.environ), "timeout": 600}}
run(["sh", "-c", "{ENDED_TOOL}"], **here)
run(["sh", "-c", {GROUP!r}], **here)
"""


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody waits for does not."""
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(what: str, found: object) -> None:
    deadline = time.monotonic() + 60
    while not found():  # type: ignore[operator]
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("program", "count", "by"),
    [(INSTALLER, 3, signal.SIGKILL), (INSTALLER, 3, signal.SIGTERM), (ASSETS, 4, signal.SIGKILL)],
    ids=["installer", "interrupted", "assets"],
)
def test_a_build_that_is_ended_leaves_nothing_running(
    tmp_path: Path, program: str, count: int, by: signal.Signals
) -> None:
    pids = tmp_path / "pids"
    build = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for("the tool", lambda: pids.is_file() and len(pids.read_text().split()) == count)
    finally:
        os.kill(build.pid, by)
        build.wait()
    started = [int(pid) for pid in pids.read_text().split()]
    wait_for("their end", lambda: not any(map(lives, started)))


def test_a_tool_is_ended_without_a_shell_too() -> None:
    # One that was ended, or could not be started.
    code = (
        "import os, subprocess; from castoff.builder import orphans\n"
        "tool = subprocess.Popen(['sleep', '600'])\n"
        "orphans._watched[os.getpid()] = None\n"
        "with orphans.ending_with_us(tool.pid): orphans.end(tool)\n"
        "print(tool.wait())"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert int(done.stdout) == -signal.SIGKILL


def test_what_has_ended_before_is_left_alone() -> None:
    # Its number may be somebody else's meanwhile, as is this one's.
    code = (
        "import os, sys; from castoff.builder.orphans import ending_with_us\n"
        "with ending_with_us(int(sys.argv[1])): pass\n"
        "with ending_with_us(int(sys.argv[2])): os.kill(os.getpid(), 9)\n"
    )
    ended, left = (subprocess.Popen(["sleep", "600"]) for _ in range(2))
    try:
        subprocess.run([sys.executable, "-c", code, str(ended.pid), str(left.pid)], check=False)
        assert left.wait(60) == -signal.SIGKILL
        assert ended.poll() is None
    finally:
        for process in (ended, left):
            process.kill()
            process.wait()
