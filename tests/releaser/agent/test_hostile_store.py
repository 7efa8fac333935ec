"""A store that stalls, drips, asks for patience or forgets its promise; time is not waited for."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import pytest

from castoff.releaser.agent import download, flow, range_download, transfer
from castoff.releaser.agent.errors import AgentError
from support.archives import make_artifact
from support.fetching import (
    QuietChannel,
    arrivals_in,
    fetch_all,
    fetch_into,
    is_all_there,
)
from support.flaky_http import Answer, FlakyServer, flaky_server

BIG = make_artifact("1.0", {f"{n:02}": os.urandom(30_000) for n in range(20)}, raw_member=16_384)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def file_source(tmp_path: Path) -> dict[str, str]:
    """A source that never fails."""
    path = tmp_path / "archive"
    path.write_bytes(BIG.archive)
    return {"kind": "file", "path": str(path)}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (transfer, flow, download, range_download):
        monkeypatch.setattr(module, "PATIENCE", 0.05)


@pytest.fixture(params=["whole", "parts"])
def begun(request: pytest.FixtureRequest, spool: Path) -> str:
    """Whether nothing is here yet, or the first members are, so that ranges are asked for."""
    if request.param == "parts":
        with arrivals_in(spool, BIG) as arrivals:
            arrivals.write(0, BIG.archive[:200_000])
    return str(request.param)


def url(server: FlakyServer) -> dict[str, str]:
    return {"kind": "url", "url": server.url()}


@pytest.mark.usefixtures("impatient", "begun")
@pytest.mark.parametrize("stage", ["before the answer", "within it"])
def test_a_store_that_stalls_is_left_for_the_next_source(
    stage: str, spool: Path, file_source: dict[str, str]
) -> None:
    held = threading.Event()
    stalled = Answer(hold=held) if stage == "before the answer" else Answer(drip=30)
    with flaky_server(BIG.archive, stalled) as server:
        fetch_all(spool, BIG, url(server), file_source)
        assert len(server.asked) >= 4
    assert is_all_there(spool, BIG)


@pytest.mark.usefixtures("impatient", "begun")
def test_a_store_that_drips_is_as_good_as_one_that_stalls(
    spool: Path, file_source: dict[str, str]
) -> None:
    with flaky_server(BIG.archive, Answer(drip=0.01)) as server:
        fetch_all(spool, BIG, url(server), file_source)
        assert len(server.asked) >= 4
    assert is_all_there(spool, BIG)


@pytest.mark.usefixtures("begun")
def test_a_store_gets_the_pause_that_it_asks_for(spool: Path) -> None:
    channel = QuietChannel()
    busy = Answer(status=503, headers={"Retry-After": "7"})
    with flaky_server(BIG.archive, busy, busy, Answer()) as server:
        fetch_all(spool, BIG, url(server), channel=channel)
    assert channel.pauses == [7, 7]


@pytest.mark.usefixtures("begun")
@pytest.mark.parametrize("header", ["soon", "-1", "Wed, 21 Oct 2015 07:28:00 GMT", "9" * 40])
def test_a_pause_that_is_no_number_of_seconds_is_ours_to_choose(header: str, spool: Path) -> None:
    channel = QuietChannel()
    busy = Answer(status=503, headers={"Retry-After": header})
    with flaky_server(BIG.archive, busy, busy, Answer()) as server:
        fetch_all(spool, BIG, url(server), channel=channel)
    assert channel.pauses == [0.25, 0.5]


@pytest.mark.usefixtures("begun")
def test_a_store_that_asks_for_an_hour_is_left_at_once(
    spool: Path, file_source: dict[str, str]
) -> None:
    channel = QuietChannel()
    busy = Answer(status=429, headers={"Retry-After": "3600"})
    with flaky_server(BIG.archive, busy) as server:
        fetch_all(spool, BIG, url(server), file_source, channel=channel)
        assert len(server.asked) <= 2
    assert channel.pauses == []
    assert is_all_there(spool, BIG)


@pytest.mark.usefixtures("begun")
@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_url_that_expires_is_renewed_and_the_fetch_goes_on_where_it_was(
    status: int, spool: Path
) -> None:
    channel = QuietChannel()
    cut, expired = Answer(limit=100_000), Answer(status=status)
    with flaky_server(BIG.archive, cut, expired, cut, expired, Answer()) as server:
        channel.urls = [server.url(f"/archive?X-Signature=other{n}") for n in range(3)]
        came = fetch_all(spool, BIG, url(server), channel=channel)
        asked = server.asked
    assert is_all_there(spool, BIG)
    assert [path[-6:] for path, _ in asked] == ["s3cr3t", "s3cr3t", "other0", "other0", "other1"]
    assert len(channel.urls) == 1
    assert came <= len(BIG.archive), "nothing came twice"


@pytest.mark.usefixtures("begun")
def test_a_host_that_is_refused_by_each_url_asks_for_one_other(
    spool: Path, file_source: dict[str, str]
) -> None:
    channel = QuietChannel()
    with flaky_server(BIG.archive, Answer(status=403)) as server:
        channel.urls = [server.url(f"/archive?X-Signature=other{n}") for n in range(9)]
        fetch_all(spool, BIG, url(server), file_source, channel=channel)
    assert len(channel.urls) == 8
    assert is_all_there(spool, BIG)


def test_the_bytes_of_a_liar_are_not_held_against_the_next_source(spool: Path) -> None:
    # Half of a member comes from a server that lies, its other half must not be joined to that.
    liar, honest = Answer(wrong=True, limit=5_000), Answer()
    with (
        flaky_server(BIG.archive, liar, Answer(status=404)) as lying,
        flaky_server(BIG.archive, honest) as server,
    ):
        fetch_all(spool, BIG, url(lying), url(server))
        assert len(server.asked) == 1
    assert is_all_there(spool, BIG)


def test_a_member_that_was_checked_is_not_written_again(spool: Path) -> None:
    with arrivals_in(spool, BIG) as arrivals:
        arrivals.write(0, BIG.archive[:300_000])
        left = list(arrivals.left)
        arrivals.write(0, bytes(300_000)[: left[0].offset])
        assert list(arrivals.left) == left
        arrivals.turn()
        arrivals.write(left[0].offset, BIG.archive[left[0].offset :])
    assert is_all_there(spool, BIG)


def test_fifty_fetches_that_break_off_leave_nothing_to_fetch_twice(spool: Path) -> None:
    chance = random.Random(6)
    artifact = make_artifact(
        "1.0", {f"{n:03}": os.urandom(9_000) for n in range(100)}, raw_member=4_096
    )
    lies = 0
    with flaky_server(artifact.archive) as server:
        came = 0
        for _ in range(50):
            with arrivals_in(spool, artifact) as arrivals:
                share = sum(member.length for member in arrivals.left) // 10
                lie = chance.random() < 0.1
                lies += lie
                cut = Answer(limit=chance.randint(1, share), wrong=lie)
                server.answers = [cut, Answer(status=410)]
                with pytest.raises(AgentError):
                    fetch_into(arrivals, artifact, url(server))
                came += arrivals.fetched
        server.answers = [Answer()]
        came += fetch_all(spool, artifact, url(server))
    assert lies
    assert is_all_there(spool, artifact)
    # Half a member at most is lost each time, and what was a lie.
    assert came < len(artifact.archive) + 50 * 4_200 + lies * 2 * 4_200
