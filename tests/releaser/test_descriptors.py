"""Connections to all hosts fit into this process's limit of open files, or it is said at once."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

# In a process of its own, which is under the limit that is set for it.
CODE = """
import resource, sys
from castoff.config.hosts import ResolvedHost
from castoff.releaser.descriptors import make_room
from castoff.store.errors import UsageError
soft, hard, count = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
hosts = [host] * count
try:
    make_room(hosts)
except UsageError as error:
    print(error.message, error.hint)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def made_room(soft: int, hard: int, count: int) -> list[str]:
    """Make room for `count` hosts under a limit; return what was said, and the limit after."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < hard:
        pytest.skip(f"{hard} open files are not allowed here")
    host = "types.SimpleNamespace(transport='ssh')"
    code = "import types\n" + CODE.replace("[host]", f"[{host}]")
    argv = [sys.executable, "-c", code, str(soft), str(hard), str(count)]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()


def test_the_limit_is_raised_as_far_as_hosts_need_it() -> None:
    assert made_room(256, 4096, 1000) == [str(128 + 2 * 1000)]


def test_a_limit_that_is_enough_stays() -> None:
    assert made_room(256, 4096, 4) == ["256"]


def test_too_low_a_hard_limit_is_said_with_what_to_do() -> None:
    said, limit = made_room(256, 1024, 1000)
    assert "1000 hosts at once need 2128 open files, and 1024 are allowed" in said
    assert "ulimit -Hn 2128" in said
    assert limit == "256"
