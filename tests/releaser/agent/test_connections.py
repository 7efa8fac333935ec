"""Several connections to one store: what comes by them is one fetch, as checked and as slow."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from castoff.releaser.agent import crew, fetch
from castoff.releaser.agent.arrivals import Arrivals
from castoff.releaser.agent.errors import AgentError
from castoff.releaser.agent.messages import Gone
from castoff.releaser.agent.pace import Pace
from support.agent_client import AgentClient, AgentFailure, agent, open_request
from support.archives import make_artifact
from support.counting_http import CountingServer, counting_server
from support.fetching import QuietChannel, arrivals_in, fetch_all, fetch_into, is_all_there

BIG = make_artifact("1.0", {f"{n:02}": os.urandom(100_000) for n in range(40)}, raw_member=200_000)
# Large enough by itself.
LARGE = make_artifact(
    "1.0", {f"{n:02}": os.urandom(450_000) for n in range(40)}, raw_member=150_000
)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what is meant for large archives done with one that is made quickly."""
    monkeypatch.setattr(fetch, "_LARGE", 1_000_000)
    monkeypatch.setattr(crew, "PIECE", 250_000)
    monkeypatch.setattr(crew, "_WORTH", 300_000)


class Leaving(QuietChannel):
    """A controller that leaves after so many looks."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._looks = looks

    def check(self, wait: float = 0) -> None:
        self._looks -= 1
        if self._looks < 0:
            raise Gone
        super().check(wait)


@contextmanager
def every_third_lacking(path: Path) -> Iterator[Arrivals]:
    """Have two of three members there already, so that many ranges are left."""
    members = BIG.table.members
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    for member in members:
        os.pwrite(descriptor, BIG.archive[member.offset :][: member.length], member.offset)
    for member in members[::3]:
        os.pwrite(descriptor, bytes(member.length), member.offset)
    os.close(descriptor)
    with arrivals_in(path, BIG) as arrivals:
        assert len(arrivals.left) == len(members[::3])
        yield arrivals


def test_many_ranges_are_asked_for_four_at_once(spool: Path) -> None:
    with (
        counting_server(CountingServer(BIG.archive, together=4)) as server,
        every_third_lacking(spool) as arrivals,
    ):
        wanted = len(arrivals.wanted())
        fetch_into(arrivals, BIG, server.source)
        assert not arrivals.left
        came = arrivals.fetched
    assert server.most_open == server.connections == crew.MOST == 4
    assert len(server.asked) == wanted, "no range twice"
    assert came == sum(member.length for member in BIG.table.members[::3])
    assert is_all_there(spool, BIG)


def test_few_bytes_are_not_worth_another_connection(spool: Path) -> None:
    with (
        counting_server(CountingServer(BIG.archive)) as server,
        arrivals_in(spool, BIG) as arrivals,
    ):
        arrivals.write(0, BIG.archive[:-250_000])
        arrivals.turn()
        fetch_into(arrivals, BIG, server.source)
    assert server.connections == 1
    assert is_all_there(spool, BIG)


@pytest.mark.usefixtures("small_is_large")
def test_a_large_archive_comes_in_pieces_over_four_connections(spool: Path) -> None:
    with counting_server(CountingServer(BIG.archive, together=4)) as server:
        assert fetch_all(spool, BIG, server.source) == len(BIG.archive)
    assert server.most_open == server.connections == 4
    assert len(server.asked) > 10
    assert is_all_there(spool, BIG)


@pytest.mark.usefixtures("small_is_large")
@pytest.mark.parametrize("allowed", [0, 1])
def test_a_host_that_allows_no_more_threads_has_fewer_connections(
    spool: Path, monkeypatch: pytest.MonkeyPatch, allowed: int
) -> None:
    start, started = crew._Helper.start, 0

    def refused(helper: crew._Helper) -> None:
        nonlocal started
        if started == allowed:
            raise RuntimeError("can't start new thread")
        started += 1
        start(helper)

    monkeypatch.setattr(crew._Helper, "start", refused)
    with counting_server(CountingServer(BIG.archive)) as server:
        fetch_all(spool, BIG, server.source)
    assert server.connections == 1 + allowed
    assert is_all_there(spool, BIG)


@pytest.mark.usefixtures("small_is_large")
def test_a_store_that_refuses_more_connections_is_met_with_fewer(spool: Path) -> None:
    channel = QuietChannel()
    with counting_server(CountingServer(BIG.archive, most=1, refusals=3)) as server:
        fetch_all(spool, BIG, server.source, channel=channel)
    # None that was turned away came again, but the one that had been served before.
    assert 3 <= server.refused <= 5
    assert server.most_open == 1
    assert channel.pauses == [], "and the one that was not had no reason to wait"
    assert is_all_there(spool, BIG)


@pytest.mark.usefixtures("small_is_large")
def test_connections_that_break_off_lose_nothing_but_a_member_each(spool: Path) -> None:
    served = CountingServer(BIG.archive, together=4, closes_after=170_000)
    with counting_server(served) as server:
        came = fetch_all(spool, BIG, server.source)
    assert server.connections > 10
    assert is_all_there(spool, BIG)
    assert came < 2 * len(BIG.archive)


@pytest.mark.usefixtures("small_is_large")
def test_one_connection_that_lies_costs_the_store_the_rest(spool: Path, tmp_path: Path) -> None:
    honest = tmp_path / "archive"
    honest.write_bytes(BIG.archive)
    half = len(BIG.archive) // 2
    with counting_server(CountingServer(BIG.archive, together=4, wrong_from=half)) as server:
        with pytest.raises(AgentError, match="other bytes") as caught:
            fetch_all(spool, BIG, server.source)
        assert caught.value.code == "corrupt"
        asked = len(server.asked)
        came = fetch_all(spool, BIG, server.source, {"kind": "file", "path": str(honest)})
    assert len(server.asked) < asked + 12
    assert is_all_there(spool, BIG)
    assert came < len(BIG.archive), "what was right stays"


@pytest.mark.usefixtures("small_is_large")
def test_nothing_is_written_once_the_fetch_is_over(spool: Path) -> None:
    channel = QuietChannel()
    # Held, but the first: until more are open than ever will be.
    with counting_server(CountingServer(BIG.archive, together=9)) as server:

        def leave() -> None:
            with server.changed:
                if server.asked:
                    server.changed.wait_for(lambda: server.open == 3, 30)
                    raise Gone

        channel.on_check = leave
        before = set(threading.enumerate())
        with arrivals_in(spool, BIG) as arrivals:
            with pytest.raises(Gone):
                fetch_into(arrivals, BIG, server.source, channel=channel)
            there = spool.read_bytes()
        with server.changed:
            server.together = 0
            server.changed.notify_all()
        for thread in set(threading.enumerate()) - before:
            if isinstance(thread, crew._Helper):
                thread.join(20)
                assert not thread.is_alive()
    assert spool.read_bytes() == there


@pytest.mark.usefixtures("small_is_large")
def test_a_server_that_gives_only_the_whole_is_asked_for_that(spool: Path) -> None:
    from support.flaky_http import Answer, flaky_server

    with flaky_server(BIG.archive, Answer(ranges=False)) as server:
        fetch_all(spool, BIG, {"kind": "url", "url": server.url()})
        asked = [wanted for _, wanted in server.asked]
    assert len(asked) == 2
    assert asked[1] is None
    assert is_all_there(spool, BIG)


@pytest.mark.usefixtures("small_is_large")
def test_all_connections_together_keep_to_one_rate(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent: list[tuple[int, int]] = []
    spend = Pace.spend

    def note(pace: Pace, count: int) -> float:
        spent.append((id(pace), count))
        spend(pace, count)
        return 0

    monkeypatch.setattr(Pace, "spend", note)
    with (
        counting_server(CountingServer(BIG.archive, together=4)) as server,
        arrivals_in(spool, BIG) as arrivals,
    ):
        fetch_into(arrivals, BIG, server.source, rate=2_000_000)
    assert server.connections == 4
    assert len({pace for pace, _ in spent}) == 1
    assert sum(count for _, count in spent) == len(BIG.archive)
    assert max(count for _, count in spent) <= 2_000_000 / 4


@pytest.mark.usefixtures("small_is_large")
def test_a_rate_that_one_connection_fills_needs_no_more(spool: Path) -> None:
    with (
        counting_server(CountingServer(BIG.archive)) as server,
        arrivals_in(spool, BIG) as arrivals,
    ):
        fetch_into(arrivals, BIG, server.source, rate=500_000)
    assert server.connections == 1


def test_threads_that_share_a_rate_owe_what_all_have_taken() -> None:
    pace = Pace(1_000, clock=lambda: 0.0)
    waits: list[float] = []

    def take() -> None:
        waits.extend(pace.spend(10) for _ in range(500))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(waits) == pytest.approx((4 * 500 * 10 - 250) / 1_000)


def test_an_agent_that_is_killed_amid_four_connections_fetches_nothing_twice(root: Path) -> None:
    dead = AgentClient()
    dead.ask("open", **open_request(root))
    with counting_server(CountingServer(LARGE.archive, together=9)) as server:
        dead.post("prepare", **LARGE.request(sources=[server.source]))
        with server.changed:
            assert server.changed.wait_for(lambda: len(server.asked) == 5, 20)
        dead.process.kill()
        dead.close()
    with counting_server(CountingServer(LARGE.archive)) as server, agent(root) as client:
        done = client.ask("prepare", **LARGE.request(sources=[server.source]))
        assert done["tree_sha256"] == LARGE.tree_sha256
    assert done["fetched"] <= len(LARGE.archive) - crew.PIECE + 2 * 151_000


def test_a_url_is_told_by_no_connection(root: Path) -> None:
    refusing = CountingServer(LARGE.archive, most=1, refusals=3)
    with counting_server(refusing) as server, agent(root) as client:
        client.ask("prepare", **LARGE.request(sources=[server.source]))
        assert b"s3cr3t" not in client.heard
    lying = CountingServer(LARGE.archive, wrong_from=5_000_000)
    with counting_server(lying) as server, agent(root.parent / "other") as client:
        with pytest.raises(AgentFailure, match="other bytes"):
            client.ask("prepare", **LARGE.request(sources=[server.source]))
        assert b"s3cr3t" not in client.heard


@pytest.mark.usefixtures("small_is_large")
@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.sweep) for n in range(9))])
def test_fetches_by_several_connections_that_are_cut_short_end_right(
    seed: int, spool: Path
) -> None:
    chance = random.Random(seed)
    came = 0
    for _ in range(20):
        served = CountingServer(BIG.archive, closes_after=chance.randint(20_000, 300_000))
        channel = Leaving(chance.randint(1, 20))
        with (
            counting_server(served) as server,
            arrivals_in(spool, BIG) as arrivals,
            suppress(Gone, AgentError),
        ):
            try:
                fetch_into(arrivals, BIG, server.source, channel=channel)
            finally:
                came += arrivals.fetched
    with counting_server(CountingServer(BIG.archive)) as server:
        came += fetch_all(spool, BIG, server.source)
    assert is_all_there(spool, BIG)
    # A member at most for each connection, each time.
    assert came < len(BIG.archive) + 20 * 4 * 101_000
