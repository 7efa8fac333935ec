"""Each host's share of the rate, and how the controller keeps to it; no time is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castoff.config.model import Transfer
from castoff.releaser.agent.pace import Pace
from castoff.releaser.rates import limited, paced
from castoff.releaser.release import resolve, run
from castoff.releaser.session import AgentSession
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store.errors import UsageError
from support.local_scope import make_scope


def read(offset: int, length: int) -> Iterator[bytes]:
    data = bytes(range(256)) * 8_000
    for start in range(offset, offset + length, 262_144):
        yield data[start : min(start + 262_144, offset + length)]


def test_what_the_controller_sends_comes_no_faster_than_it_may() -> None:
    now = [0.0]
    rate = 100_000

    def wait(seconds: float) -> None:
        now[0] += seconds

    sent = b""
    for piece in paced(read, Pace(rate, clock=lambda: now[0]), wait)(1_000, 1_000_000):
        sent += piece
        assert len(sent) <= rate * (now[0] + 0.501)
    assert sent == b"".join(read(1_000, 1_000_000))
    assert now[0] == pytest.approx(len(sent) / rate, abs=0.5)


def test_without_a_rate_blocks_go_as_they_come() -> None:
    assert list(paced(read, Pace(0))(0, 600_000)) == list(read(0, 600_000))


@pytest.mark.parametrize(
    ("transfer", "hosts", "each"),
    [
        (Transfer(), 9, 0),
        (Transfer(max_rate="20M"), 9, 20 * 1024**2),
        (Transfer(max_rate_total="9K"), 9, 1024),
        (Transfer(max_rate_total="9K"), 0, 9 * 1024),
        (Transfer(max_rate="2K", max_rate_total="9K"), 3, 2 * 1024),
        (Transfer(max_rate="1.5M", max_rate_total="9K"), 3, 3 * 1024),
        (Transfer(max_rate_total="1K"), 9_999, 1),
    ],
)
def test_a_host_gets_its_share_and_never_more_than_its_own_limit(
    transfer: Transfer, hosts: int, each: int
) -> None:
    assert transfer.rate_of(hosts) == each


def test_the_command_line_wins(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, [])
    assert limited(scope, None, None).environment.transfer == Transfer()
    once = limited(scope, "20M", "1G").environment.transfer
    assert (once.max_rate, once.max_rate_total) == ("20M", "1G")
    again = limited(limited(scope, "20M", "1G"), "1K", None).environment.transfer
    assert (again.max_rate, again.max_rate_total) == ("1K", "1G")


@pytest.mark.parametrize("text", ["fast", "20 M", "-1", "0", "1000", "20Mbit", "٢M", ""])
def test_what_is_no_rate_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"--max-rate-total: .* bytes a second"):
        limited(make_scope(tmp_path, []), None, text)


def test_each_host_is_told_its_share_of_those_that_lack_the_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, set[int]] = {}
    ask = AgentSession.ask

    def heard(self: AgentSession, kind: Any, op: str, asked: Any, **parameters: Any) -> Any:
        if op == "prepare":
            told.setdefault(parameters["version"], set()).add(parameters["max_rate"])
        return ask(self, kind, op, asked, **parameters)

    monkeypatch.setattr(AgentSession, "ask", heard)
    scope = limited(make_scope(tmp_path, []), None, "6M")
    run(resolve(replace(scope, hosts=scope.hosts[:1]), "prepare", "1"), Timeline(Silent()))
    assert told == {"1": {6 * 1024**2}}
    run(resolve(scope, "release", "1"), Timeline(Silent()))
    run(resolve(scope, "release", "2"), Timeline(Silent()))
    # One of the three had version 1 already.
    assert told == {"1": {6 * 1024**2, 3 * 1024**2}, "2": {2 * 1024**2}}
