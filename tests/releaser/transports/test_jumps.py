"""Hosts behind a gate share connections to it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from castoff.releaser.errors import HostKeyRejected, HostUnreachable
from castoff.releaser.transports.base import Channel
from castoff.releaser.transports.connect import starter
from castoff.releaser.transports.pool import MOST_ON_ONE, Pool
from support.fleet import Fleet, FleetHost
from support.resolved import resolved

SSHD = "/etc/ssh/sshd_config"
HANG_UP = "kill -HUP $(cat /run/sshd.pid); sleep 0.3"
# More than the sessions that OpenSSH's default, MaxSessions 10, would allow on one connection.
BEHIND = 12


class One:
    """A connection that is none."""

    def __init__(self, open_ones: list[One]) -> None:
        self.alive = True
        self._open = open_ones
        open_ones.append(self)

    def close(self) -> None:
        """It is no longer among those that are open."""
        self._open.remove(self)


class Made:
    """Makes connections; which are open."""

    def __init__(self) -> None:
        self.count = 0
        self.open: list[One] = []

    def __call__(self) -> One:
        self.count += 1
        return One(self.open)


def pool_of() -> Pool[One]:
    return Pool("jump host")


def test_a_connection_is_made_once_and_goes_with_the_last_who_uses_it() -> None:
    jumps, made = pool_of(), Made()
    parts = [jumps.part("gate", f"h{n}", made, timeout=1) for n in range(3)]
    other = jumps.part("other", "h", made, timeout=1)
    assert made.count == 2
    for part in parts[:2]:
        part.close()
        part.close()
    assert len(made.open) == 2
    parts[2].close()
    assert made.open == [other.whole]
    jumps.part("gate", "late", made, timeout=1)
    assert made.count == 3


def test_so_many_go_on_one_and_the_next_gets_another() -> None:
    jumps, made = pool_of(), Made()
    parts = [jumps.part("gate", f"h{n}", made, timeout=1) for n in range(MOST_ON_ONE + 1)]
    assert made.count == 2
    parts[0].close()
    jumps.part("gate", "late", made, timeout=1)
    assert made.count == 2


def test_one_that_broke_is_used_by_nobody_new() -> None:
    jumps, made = pool_of(), Made()
    first = jumps.part("gate", "a", made, timeout=1)
    made.open[0].alive = False
    assert jumps.part("gate", "b", made, timeout=1).whole is not first.whole


@pytest.mark.parametrize("kind", [HostUnreachable, HostKeyRejected])
def test_all_that_wait_for_it_are_told_why_it_failed(
    kind: type[HostUnreachable],
) -> None:
    jumps, go, begun = pool_of(), threading.Event(), threading.Event()

    def fail() -> One:
        begun.set()
        go.wait(10)
        raise kind("first", "the gate is shut", code="login", hint="Open it.")

    def ask(host: str) -> HostUnreachable:
        with pytest.raises(kind) as caught:
            jumps.part("gate", host, fail, timeout=10)
        return caught.value

    with ThreadPoolExecutor() as pool:
        first = pool.submit(ask, "first")
        begun.wait(10)
        second = pool.submit(ask, "second")
        while sum(one.users for one in jumps._shared["gate"]) < 2:
            pass
        go.set()
        assert first.result().message == "first: the gate is shut"
        assert second.result().message == "second: the gate is shut"
        assert second.result().hint == "Open it."
    made = Made()
    jumps.part("gate", "later", made, timeout=1)
    assert made.count == 1


def test_whoever_waits_too_long_goes_and_the_connection_stays_for_the_others() -> None:
    jumps, go, made, begun = pool_of(), threading.Event(), Made(), threading.Event()

    def slow() -> One:
        begun.set()
        go.wait(10)
        return made()

    with ThreadPoolExecutor() as pool:
        first = pool.submit(jumps.part, "gate", "first", slow, timeout=1)
        begun.wait(10)
        with pytest.raises(HostUnreachable, match="hasty: no answer in time"):
            jumps.part("gate", "hasty", slow, timeout=0.01)
        go.set()
        first.result().close()
    assert made.count == 1
    assert made.open == []


@pytest.mark.fleet
def test_hosts_behind_a_real_gate_take_one_login_there(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, last, *_ = fleet.hosts
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    # Nobody comes in there but from the gate.
    last.run(f"printf 'Match Address *,!{gate.address}\\n  DenyUsers *\\n' >> {SSHD}; {HANG_UP}")
    straight = resolved(last)
    behind = [
        replace(straight, name=f"h{number}", jump=f"root@{gate.address}:{gate.port}")
        for number in range(BEHIND)
    ]
    start = starter([straight, *behind])
    with pytest.raises(HostUnreachable, match="login as root refused"):
        start(straight, "cat", 20)

    before = logins(gate)
    with ExitStack() as stack, ThreadPoolExecutor(BEHIND) as pool:
        channels = list(pool.map(lambda host: start(host, "cat", 20), behind))
        for channel in channels:
            stack.enter_context(closing(channel))
        assert logins(gate) == before + 1
        for number, channel in enumerate(channels):
            channel.send(f"{number}\n".encode(), timeout=20)
        assert [heard(channel) for channel in channels] == [
            f"{number}\n".encode() for number in range(BEHIND)
        ]
    wait(lambda: logins(gate) == before)


def logins(host: FleetHost) -> int:
    """Return how many SSH connections a host has now."""
    port = f"{host.port:04X}"
    script = f"awk '$4 == \"01\" && $2 ~ /:{port}$/' /proc/net/tcp | wc -l"
    return int(host.run(script).stdout)


def heard(channel: Channel) -> bytes:
    """Return a line from a channel."""
    said = b""
    while not said.endswith(b"\n"):
        said += channel.receive(timeout=20)
    return said


def wait(done: Callable[[], bool]) -> None:
    """Return once something is so."""
    pause = threading.Event()
    while not done():
        pause.wait(0.02)
