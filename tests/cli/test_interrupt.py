"""Ctrl-C at any time of a command's life."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import os, signal, sys

def interrupt(*_, **__):
    os.kill(os.getpid(), signal.SIGINT)

class Finder:
    def find_spec(self, name, *_):
        if name == "castoff.cli.main" and "{when}" == "import":
            interrupt()

sys.meta_path.insert(0, Finder())
{first}
from castoff.cli.program import program

if "{when}" != "import":
    from castoff.cli import main

    main.tree = lambda _: interrupt if "{when}" == "command" else lambda **_: None
if "{when}" == "end":
    sys.stdout = type("Slow", (), {{"flush": interrupt, "isatty": lambda _: False}})()
sys.argv = ["castoff", "status"]
program()
"""


def interrupted(when: str, first: str = "") -> tuple[int, str]:
    code = _PROGRAM.format(when=when, first=first)
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    return done.returncode, done.stderr


@pytest.mark.parametrize("when", ["import", "end"])
def test_before_and_after_a_command_it_ends_the_process_without_a_word(when: str) -> None:
    assert interrupted(when) == (130, "")


def test_a_command_hears_of_it() -> None:
    assert interrupted("command") == (130, "castoff: interrupted\n")


def test_who_has_it_ignored_goes_on() -> None:
    assert interrupted("command", "signal.signal(signal.SIGINT, signal.SIG_IGN)") == (0, "")
