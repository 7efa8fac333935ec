"""No more bytes come than the rate allows, by a clock that goes on in pauses alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from castoff.releaser.agent.pace import Pace
from support.agent_client import AgentFailure, agent
from support.archives import Artifact, make_artifact
from support.fetching import QuietChannel, arrivals_in, fetch_into
from support.flaky_http import Answer, flaky_server

ARTIFACT = make_artifact(
    "1.0", {f"{n:02}": os.urandom(40_000) for n in range(20)}, raw_member=16_384
)
RATE = 100_000


@pytest.mark.parametrize("begun", [0, 200_000])
def test_a_fetch_keeps_to_its_rate_over_interruptions_and_sources(
    begun: int, tmp_path: Path
) -> None:
    channel = QuietChannel()
    told = []
    cut, refused = Answer(limit=150_000), Answer(status=404)
    with (
        flaky_server(ARTIFACT.archive, cut, cut, refused) as first,
        flaky_server(ARTIFACT.archive) as second,
        arrivals_in(tmp_path / "spool", ARTIFACT) as arrivals,
    ):
        arrivals.write(0, ARTIFACT.archive[:begun])
        before = arrivals.fetched
        channel.on_check = lambda: told.append((channel.now(), arrivals.fetched - before))
        sources = [{"kind": "url", "url": server.url()} for server in (first, second)]
        fetch_into(arrivals, ARTIFACT, *sources, channel=channel, rate=RATE)
        came = arrivals.fetched - before
    assert not arrivals.left
    # A bucket's depth and one block, a quarter of a second each, may come ahead of time.
    assert all(count <= RATE * (now + 0.501) for now, count in told)
    assert channel.now() <= came / RATE + 2, "it is used, too: the rest are pauses between tries"


def test_a_bucket_that_was_left_alone_holds_no_more_than_its_depth() -> None:
    now = [0.0]
    pace = Pace(1_000, clock=lambda: now[0])
    assert pace.most(10_000) == 250
    assert pace.spend(250) == 0
    now[0] = 60.0
    assert pace.spend(250) == 0
    assert pace.spend(250) == pytest.approx(0.25)


def test_without_a_rate_nothing_waits() -> None:
    pace = Pace(0)
    assert pace.most(10_000) == 10_000
    assert pace.spend(10**9) == 0


def test_a_host_takes_its_rate_from_the_request(root: Path, shop: Artifact) -> None:
    with flaky_server(shop.archive) as server, agent(root) as client:
        sources = [{"kind": "url", "url": server.url()}]
        with pytest.raises(AgentFailure, match="max_rate"):
            client.ask("prepare", **shop.request(sources=sources, max_rate=-1))
        client.ask("prepare", **shop.request(sources=sources, max_rate=1_000_000))
