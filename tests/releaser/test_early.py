"""Hosts are connected to while the run is still being made ready, and never for more than that."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import pytest

from castoff.config.environment_tables import FanOut
from castoff.config.host_tables import SudoPassword
from castoff.config.hosts import ResolvedHost
from castoff.releaser import early as module
from castoff.releaser import patience
from castoff.releaser.early import Early
from castoff.releaser.errors import ChannelClosed, HostUnreachable, PreflightFailed
from castoff.releaser.release import resolve, run
from castoff.releaser.secrets.conceal import as_it_is
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import freeze
from castoff.store.errors import Locked
from support.engine import RESTART, live
from support.local_scope import make_scope
from support.memory_fleet import MemoryChannel, MemoryFleet


class Counting(MemoryFleet):
    """Hosts whose connections are counted."""

    def connect(self, host: ResolvedHost, timeout: float) -> MemoryChannel:
        self.connected.append(host.name)
        return super().connect(host, timeout)

    @cached_property
    def connected(self) -> list[str]:
        return []

    @property
    def names(self) -> list[str]:
        return sorted(self.connected)


def closed(channel: MemoryChannel) -> bool:
    until = time.monotonic() + 30
    while channel._thread.is_alive() and time.monotonic() < until:
        time.sleep(0.01)
    return not channel._thread.is_alive()


def test_a_release_takes_over_the_connections_that_were_begun(tmp_path: Path) -> None:
    scope, hosts = make_scope(tmp_path, [RESTART]), Counting()
    with Early(scope.hosts, scope.environment, connect=hosts.connect) as early:
        run(resolve(scope, "release", "1"), Timeline(Silent()), early=early)
    assert live(scope) == ["1"] * 3
    assert hosts.names == ["web1", "web2", "web3"]


def test_nothing_is_left_open_where_the_run_does_not_begin(tmp_path: Path) -> None:
    scope, hosts = make_scope(tmp_path, [RESTART]), Counting()
    freeze.put(
        scope.store, scope.app, scope.environment_name, owner="a", reason="sale", frozen=True
    )
    with (
        Early(scope.hosts, scope.environment, connect=hosts.connect) as early,
        pytest.raises(Locked),
    ):
        run(resolve(scope, "release", "1"), Timeline(Silent()), early=early)
    assert all(map(closed, hosts.channels))
    assert not any((Path(host.root) / ".castoff").exists() for host in scope.hosts)


def test_a_host_that_does_not_answer_is_told_of_as_ever(tmp_path: Path) -> None:
    scope, hosts = make_scope(tmp_path, [RESTART]), Counting(down={"web2"})
    with (
        Early(scope.hosts, scope.environment, connect=hosts.connect) as early,
        pytest.raises(PreflightFailed, match="web2: no answer"),
    ):
        run(resolve(scope, "release", "1"), Timeline(Silent()), early=early)
    assert hosts.names == ["web1", "web2", "web3"]


def test_a_connection_that_was_idle_for_long_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FRESH", 0.0)
    scope, hosts = make_scope(tmp_path, [RESTART]), Counting()
    with Early(scope.hosts, scope.environment, connect=hosts.connect) as early:
        run(resolve(scope, "release", "1"), Timeline(Silent()), early=early)
    assert live(scope) == ["1"] * 3
    assert hosts.names == sorted(["web1", "web2", "web3"] * 2)


def test_a_connection_that_ended_while_it_was_idle_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **_more: object) -> None:
        raise ChannelClosed

    scope, hosts = make_scope(tmp_path, [RESTART]), Counting()
    with Early(scope.hosts, scope.environment, connect=hosts.connect) as early:
        for begun in early._begun.values():
            begun.join()
        monkeypatch.setattr(hosts.channels[0], "send", gone)
        run(resolve(scope, "release", "1"), Timeline(Silent()), early=early)
    assert live(scope) == ["1"] * 3
    assert len(hosts.connected) == 4
    assert closed(hosts.channels[0])


def test_a_host_that_answers_by_the_time_it_is_needed_is_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FRESH", 0.0)
    scope, hosts = make_scope(tmp_path, [RESTART]), Counting(down={"web2"})
    with Early(scope.hosts, scope.environment, connect=hosts.connect) as early:
        for begun in early._begun.values():
            begun.join()
        # As where somebody was asked for a password meanwhile, and the host was starting.
        hosts.down.clear()
        run(resolve(scope, "release", "1"), Timeline(Silent()), early=early)
    assert live(scope) == ["1"] * 3


def test_a_controller_that_did_not_get_to_run_does_not_give_the_host_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Counting):
        def connect(self, host: ResolvedHost, timeout: float) -> MemoryChannel:
            time.sleep(0.3)
            return super().connect(host, timeout)

    scope, hosts = make_scope(tmp_path, [RESTART]), Slow()
    with Early(scope.hosts, scope.environment, connect=hosts.connect) as early:
        # The plain clock goes on, the one that counts does not.
        for place in (module, patience):
            monkeypatch.setattr(place, "now", lambda: 0.0)
        session = early.take(scope.hosts[0], limit=0.01, redact=as_it_is)
        assert session is not None
        session.close()


def test_whoever_waits_for_a_connection_does_not_outlast_the_command(tmp_path: Path) -> None:
    answers = threading.Event()

    class Silent(Counting):
        def connect(self, host: ResolvedHost, timeout: float) -> MemoryChannel:
            answers.wait(60)
            return super().connect(host, timeout)

    scope, hosts = make_scope(tmp_path, [RESTART]), Silent()
    said: list[str] = []
    with Early(scope.hosts, scope.environment, connect=hosts.connect) as early:

        def take() -> None:
            try:
                early.take(scope.hosts[0], limit=60, redact=as_it_is)
            except HostUnreachable as error:
                said.append(error.code)

        waiting = threading.Thread(target=take, daemon=True)
        begun = early._begun[scope.hosts[0].name]
        waiting.start()
        while early._begun.get(scope.hosts[0].name) is begun:
            time.sleep(0.01)
    waiting.join(10)
    assert said == ["stopped"]
    answers.set()
    begun.join()
    assert all(map(closed, hosts.channels))


@pytest.mark.parametrize("fan_out", [FanOut(concurrency=2), FanOut(rate=2)])
def test_more_hosts_than_may_be_connected_to_at_once_wait_for_their_turns(
    tmp_path: Path, fan_out: FanOut
) -> None:
    scope, hosts = make_scope(tmp_path, [RESTART]), Counting()
    few = scope.environment.model_copy(update={"fan_out": fan_out})
    with Early(scope.hosts, few, connect=hosts.connect):
        pass
    assert hosts.names == []


def test_no_password_is_looked_up_before_the_run_has_begun(tmp_path: Path) -> None:
    scope, hosts = make_scope(tmp_path, [RESTART]), Counting()
    first, *others = scope.hosts
    asks = replace(first, sudo="shop", sudo_password=SudoPassword(env="NOT_SET"))
    with Early([asks, *others], scope.environment, connect=hosts.connect) as early:
        for begun in early._begun.values():
            begun.join()
        assert hosts.names == ["web2", "web3"]
