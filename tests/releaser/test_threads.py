"""Threads for all hosts can be had, or it is said before any of them is connected to."""

from __future__ import annotations

import subprocess
import sys

# In a process of its own, whose memory is bounded: each thread takes some.
CODE = """
import _thread, resource, sys, threading, types
from castoff.releaser.threads import check_threads
from castoff.store.errors import UsageError
room, count = map(int, sys.argv[1:])
pages = int(open("/proc/self/statm").read().split()[0])
most = pages * resource.getpagesize() + room * 1024 * 1024
resource.setrlimit(resource.RLIMIT_AS, (most, most))
try:
    check_threads([types.SimpleNamespace()] * count)
except UsageError as error:
    print(error.message, error.hint)
print(_thread._count() + 1, threading.stack_size())
"""


def said(room: int, count: int) -> list[str]:
    """Ask for threads for `count` hosts with so many megabytes for them; return what was said."""
    argv = [sys.executable, "-c", CODE, str(room), str(count)]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()


def test_where_they_can_be_had_nothing_is_said_and_none_is_left() -> None:
    assert said(4096, 1000) == ["1 0"]


def test_too_few_are_said_with_what_to_do() -> None:
    line, left = said(32, 1500)
    assert line.startswith("1500 hosts at once need 2540 threads, and ")
    assert "ulimit -u 2540" in line
    assert "--only" in line
    assert left == "1 0"


def test_a_few_hosts_are_not_tried() -> None:
    assert said(0, 32) == ["1 0"]
