"""The program ends with all done, and takes nothing apart."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import atexit, sys
from castoff.cli import main
from castoff.cli.program import program

class Kept:
    def __del__(self):
        print("taken apart")

kept = Kept()

def end():
    atexit.register(print, "done at the end")
    sys.stdout.write("half a line")
    {end}

main.main = end
program()
"""


@pytest.mark.parametrize(
    ("end", "code", "complaint"),
    [
        ("pass", 0, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit(7)", 7, ""),
        ("sys.exit('no')", 1, "no\n"),
        ("raise ValueError", 1, "ValueError\n"),
    ],
)
def test_the_program_ends_with_its_exit_code_and_takes_nothing_apart(
    end: str, code: int, complaint: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.replace("{end}", end)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code
    assert done.stdout == "half a linedone at the end\n"
    assert done.stderr.endswith(complaint)
    assert bool(done.stderr) == bool(complaint)


def test_a_command_with_hosts_looks_for_garbage_again() -> None:
    code = (
        "import gc\n"
        "from castoff.cli import garbage\n"
        "class Ring:\n"
        "    def __init__(self):\n        self.self = self\n"
        "def left(count):\n"
        "    for _ in range(count):\n        Ring()\n"
        "    return sum(isinstance(one, Ring) for one in gc.get_objects())\n"
        "garbage.expect_little()\n"
        "before = left(100_000)\n"
        "garbage.expect_some()\n"
        "print(before, left(100_000) - before, gc.get_freeze_count() > before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    short, long, kept = done.stdout.split()
    assert int(short) == 100_000
    assert int(long) < 50_000
    assert kept == "True"
