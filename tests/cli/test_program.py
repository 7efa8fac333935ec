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
