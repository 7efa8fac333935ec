"""One thing on many hosts: on all at once, and an interrupt leaves nobody waiting."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from castoff.config.hosts import ResolvedHost
from castoff.releaser import on_each as module
from castoff.releaser.errors import HostError
from castoff.releaser.on_each import on_each
from support.resolved import HOST


def hosts(count: int) -> list[ResolvedHost]:
    return [replace(HOST, name=f"web{number}") for number in range(count)]


def test_hundreds_are_told_before_any_has_answered() -> None:
    all_told = threading.Barrier(300)
    # Whoever had to wait for another's answer would keep all waiting for good.
    found = on_each(hosts(300), lambda host: (all_told.wait(60), host.name)[1])
    assert list(found.values) == [host.name for host in hosts(300)]


def test_more_hosts_than_threads_are_done_as_threads_come_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_THREADS", 3)
    monkeypatch.setattr(module, "_threads", module._Threads())
    at_once = threading.Barrier(3)
    found = on_each(hosts(9), lambda host: (at_once.wait(60), host.name)[1])
    assert list(found.values) == [host.name for host in hosts(9)]


def test_failures_come_in_the_order_of_the_hosts() -> None:
    def act(host: ResolvedHost) -> str:
        if host.name in ("web1", "web3"):
            raise HostError(host.name, "no")
        return host.name

    found = on_each(hosts(5), act)
    assert list(found.values) == ["web0", "web2", "web4"]
    assert [failure.host for failure in found.failures] == ["web1", "web3"]
    assert on_each([], act).values == {}


def test_an_interrupt_leaves_those_that_hang_and_there_are_threads_for_what_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over, begun = threading.Event(), threading.Barrier(4)
    monkeypatch.setattr(module, "MOST_THREADS", 3)
    monkeypatch.setattr(module, "_threads", module._Threads())
    asked: list[str] = []

    def hang(host: ResolvedHost) -> None:
        asked.append(host.name)
        begun.wait(60)
        over.wait(60)

    def interrupted(futures: object) -> None:
        del futures
        begun.wait(60)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "as_completed", interrupted)
        with pytest.raises(KeyboardInterrupt):
            on_each(hosts(9), hang)
    assert len(on_each(hosts(3), lambda host: host.name).values) == 3
    over.set()
    assert sorted(asked) == ["web0", "web1", "web2"], "none that had not begun is begun"
