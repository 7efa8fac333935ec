"""An archive that can only be wanted whole is asked for before the file table is read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from support.agent_client import AgentFailure, agent
from support.archives import Artifact, make_artifact


@pytest.fixture(scope="module")
def large() -> Artifact:
    files = {f"app/{n}.bin": os.urandom(150_000) for n in range(8)}
    return make_artifact("1.0", files, raw_member=65_536)


def wants(events: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(one["offset"], one["length"]) for one in events if one["event"] == "want"]


def test_all_of_it_is_asked_for_once_and_before_the_table_is_checked(
    root: Path, large: Artifact
) -> None:
    hostile = large.with_table(directories=["../out"])
    with agent(root) as client:
        with pytest.raises(AgentFailure, match="not a path inside"):
            client.ask("prepare", archive=hostile.archive, **hostile.request())
        assert wants(client.events) == [(0, len(large.archive))]
        assert list((root / "releases").iterdir()) == []
        # What came for nothing is not taken for the next request.
        done = client.ask("prepare", archive=large.archive, **large.request())
        assert wants(client.events) == [(0, len(large.archive))]
    assert done["tree_sha256"] == large.tree_sha256
    assert done["ways"] == {"archive": len(large.archive)}


def test_a_release_that_is_refused_does_not_have_all_of_a_long_archive_sent(root: Path) -> None:
    files = {f"app/{n}.bin": os.urandom(1_500_000) for n in range(5)}
    long = make_artifact("1.0", files, raw_member=700_000)
    first, size = 4 * 1024 * 1024, len(long.archive)
    with agent(root) as client:
        with pytest.raises(AgentFailure, match="the release itself has something there"):
            client.ask("prepare", archive=long.archive, **long.request(shared=["app/0.bin"]))
        assert wants(client.events) == [(0, first)]
        # It is asked for the rest while the beginning is still on its way.
        done = client.ask("prepare", archive=long.archive, **long.request())
        assert wants(client.events) == [(0, first), (first, size - first)]
    assert done["tree_sha256"] == long.tree_sha256
    assert done["ways"] == {"archive": size}


def test_a_wrong_archive_that_was_asked_for_ahead_is_refused(root: Path, large: Artifact) -> None:
    wrong = bytearray(large.archive)
    wrong[500_000] ^= 1
    with agent(root) as client:
        with pytest.raises(AgentFailure, match="gave other bytes"):
            client.ask("prepare", archive=bytes(wrong), **large.request())
        assert client.ask("state")["state"]["releases"] == []


@pytest.mark.parametrize("there", ["another release", "what came before", "a URL", "a zipapp"])
def test_nothing_is_asked_for_ahead_that_may_not_be_needed(
    there: str, root: Path, large: Artifact
) -> None:
    request = large.request()
    files = {f"app/{n}.bin": os.urandom(150_000) for n in range(8)}
    with agent(root) as client:
        if there == "another release":
            other = make_artifact("0.9", {"app/0.bin": b"x"})
            client.ask("prepare", archive=other.archive, **other.request())
        elif there == "what came before":
            with pytest.raises(AgentFailure):
                client.ask("prepare", archive=large.archive[:900_000], **request)
        elif there == "a URL":
            request["sources"] = [
                {"kind": "url", "url": "http://127.0.0.1:9/"},
                *request["sources"],
            ]
        else:
            large = make_artifact("1.0", files, codec="stored").with_manifest(format="zipapp")
            request = large.request()
        hostile = large.with_table(directories=["../out"])
        with pytest.raises(AgentFailure):
            client.ask(
                "prepare",
                archive=large.archive,
                **{**hostile.request(), "sources": request["sources"]},
            )
        assert wants(client.events) == []
        done = client.ask("prepare", archive=large.archive, **request)
    assert done["tree_sha256"] == large.tree_sha256


@pytest.mark.parametrize("by_url", [False, True])
def test_what_a_prepare_needs_is_loaded_before_any_app_is_opened(
    by_url: bool, large: Artifact
) -> None:
    with agent() as client:
        assert client.ask("expect", what="prepare", by_url=by_url) == {}
        with pytest.raises(AgentFailure, match="needs an app"):
            client.ask("prepare", **large.request())
