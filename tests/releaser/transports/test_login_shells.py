"""Hosts whose login shells talk, are odd, or let nobody in; and Pythons that are too old."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import HostUnreachable
from castoff.releaser.replies import Opened
from support.fleet import FleetHost
from support.fleet_fixtures import MakeFleet
from support.resolved import resolved, sessions

pytestmark = pytest.mark.fleet

OLD_PYTHON = """#!/usr/bin/python3
import sys
sys.version_info = (3, 6, 9, "final", 0)
sys.version = "3.6.9 (default)"
exec(sys.argv[sys.argv.index("-c") + 1])
"""


@pytest.fixture
def host(make_fleet: MakeFleet) -> FleetHost:
    return make_fleet(1).hosts[0]


def opened(host: ResolvedHost) -> Opened:
    with sessions([host]) as fleet:
        return fleet.open(host)


def refusal(host: ResolvedHost) -> HostUnreachable:
    with sessions([host]) as fleet, pytest.raises(HostUnreachable) as caught:
        fleet.open(host)
    return caught.value


def put(host: FleetHost, path: str, text: str, *, mode: str = "644") -> None:
    host.run(f"cat > {path} <<'END'\n{text}\nEND\nchmod {mode} {path}")


def test_a_login_script_that_talks_does_no_harm(host: FleetHost) -> None:
    host.add_user("chatty", login_shell="/bin/bash")
    put(host, "/srv/home/chatty/.bashrc", 'echo "Welcome to $(hostname)!"; echo "{}"; echo oh >&2')
    put(host, "/srv/banner", "NO TRESPASSING")
    host.run("echo 'Banner /srv/banner' >> /etc/ssh/sshd_config; kill -HUP $(cat /run/sshd.pid)")

    there = replace(resolved(host), user="chatty")

    assert "Welcome" in host.run("su chatty -c 'bash -ic true' 2>&1").stdout
    assert opened(there).facts.user == "chatty"


@pytest.mark.parametrize("shell", ["bash", "dash", "fish", "csh"])
def test_the_agent_starts_from_any_login_shell(host: FleetHost, shell: str) -> None:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    host.add_user("odd", login_shell=path)

    assert opened(replace(resolved(host), user="odd")).facts.user == "odd"

    missing = refusal(replace(resolved(host), user="odd", python="python9"))
    assert (missing.code, "python9" in missing.message) == ("python", True)
    assert "Python 3.8" in missing.hint


@pytest.mark.parametrize("shell", ["/usr/sbin/nologin", "/bin/false"])
def test_a_user_who_may_not_log_in_is_told_so(host: FleetHost, shell: str) -> None:
    host.add_user("closed", login_shell=shell)

    error = refusal(replace(resolved(host), user="closed"))

    if shell.endswith("nologin"):
        assert "may not log in" in error.message
        assert "chsh" in error.hint
    else:
        assert "ended before the agent started: exit status 1" in error.message
        assert "castoff ssh web1 -- echo yes" in error.hint


def test_a_python_that_is_too_old_is_told_with_its_version(host: FleetHost) -> None:
    put(host, "/srv/python3.6", OLD_PYTHON, mode="755")

    error = refusal(resolved(host, python="/srv/python3.6"))

    assert error.code == "python"
    assert "Python 3.6.9, too old" in error.message
    assert "Python 3.8" in error.hint
