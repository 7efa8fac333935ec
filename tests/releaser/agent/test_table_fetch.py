"""The file table comes as the archive does: from a sibling, a URL, a file or the controller."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.agent.packed import MOST_BYTES
from castoff.store.filetable import compress
from support.agent_client import AgentClient, AgentFailure, agent
from support.archives import Artifact, make_artifact
from support.flaky_http import Answer, FlakyServer, flaky_server

TOKEN = secrets.token_hex(32)
NEW = make_artifact("1.0", {f"{n:03}": os.urandom(200) for n in range(300)})
TABLE = compress(NEW.table_bytes)


@pytest.fixture
def siblings(tmp_path: Path) -> Iterator[list[AgentClient]]:
    """Two hosts."""
    with ExitStack() as stack:
        yield [stack.enter_context(agent(tmp_path / f"{n}/shop")) for n in range(2)]


def request(
    *sources: dict[str, Any], table: bytes = TABLE, artifact: Artifact = NEW, **changes: Any
) -> dict[str, Any]:
    """Return a `prepare` request that says where the table is."""
    said = {"size": len(table), "sha256": hashlib.sha256(table).hexdigest()}
    asked = {**artifact.request(), "table": {**said, "sources": list(sources)}, **changes}
    del asked["table_z"]
    return asked


def url(server: FlakyServer) -> dict[str, Any]:
    return {"kind": "url", "url": server.url("/table?X-Signature=s3cr3t")}


def offer(client: AgentClient) -> dict[str, Any]:
    asked: dict[str, Any] = {"token": TOKEN, "address": "127.0.0.1", "fallback": ""}
    asked |= {"port": 0, "seconds": 60}
    return {"kind": "peer", "name": "web1", "token": TOKEN, **client.ask("offer", **asked)}


def prepared(client: AgentClient, asked: dict[str, Any]) -> bool:
    client.post("prepare", **asked)
    done = client.answer(NEW.archive)
    return bool(done["tree_sha256"] == NEW.tree_sha256)


def test_it_comes_from_a_url(siblings: list[AgentClient], tmp_path: Path) -> None:
    with flaky_server(TABLE, Answer(limit=5_000), Answer()) as store:
        assert prepared(siblings[0], request(url(store)))
        assert len(store.asked) == 2, "taken up where it broke off"
    wants = [event for event in siblings[0].events if event["event"] == "want"]
    assert all("of" not in event for event in wants), "the archive alone"
    assert b"s3cr3t" not in siblings[0].heard
    assert not list((tmp_path / "0/shop/.castoff/staging").iterdir())


def test_a_store_that_lies_costs_the_next_source(
    siblings: list[AgentClient], tmp_path: Path
) -> None:
    path = tmp_path / "table"
    path.write_bytes(TABLE)
    with flaky_server(TABLE, Answer(wrong=True)) as store:
        asked = request(url(store), {"kind": "file", "path": str(path)})
        assert prepared(siblings[0], asked)


def test_where_nobody_gives_it_nothing_is_done(siblings: list[AgentClient], tmp_path: Path) -> None:
    with (
        flaky_server(TABLE, Answer(status=404)) as store,
        pytest.raises(AgentFailure, match="the table cannot be had") as caught,
    ):
        prepared(siblings[0], request(url(store)))
    assert caught.value.code == "fetch"
    assert not list((tmp_path / "0/shop/.castoff/staging").iterdir())
    assert not list((tmp_path / "0/shop/releases").iterdir())


def test_one_that_the_manifest_does_not_name_is_refused(siblings: list[AgentClient]) -> None:
    other = compress(make_artifact("1.0", {"other": b"x"}).table_bytes)
    with flaky_server(other) as store, pytest.raises(AgentFailure, match="manifest") as caught:
        prepared(siblings[0], request(url(store), table=other))
    assert caught.value.code == "corrupt"


def test_one_that_is_too_long_is_not_fetched(siblings: list[AgentClient]) -> None:
    with flaky_server(TABLE) as store:
        asked = request(url(store))
        asked["table"]["size"] = MOST_BYTES + 1
        with pytest.raises(AgentFailure, match="too long"):
            prepared(siblings[0], asked)
        assert not store.asked


def test_a_sibling_gives_what_it_has_fetched(siblings: list[AgentClient]) -> None:
    first, second = siblings
    peer = offer(first)
    with flaky_server(TABLE) as store:
        # It asks before its sibling has anything.
        second.post("prepare", **request(peer, url(store)))
        assert prepared(first, request(url(store)))
        assert second.answer(NEW.archive)["tree_sha256"] == NEW.tree_sha256
        assert len(store.asked) == 1


@pytest.mark.parametrize("why", ["it is told the table", "its own fetch fails"])
def test_a_sibling_that_has_none_lets_nobody_wait(why: str, siblings: list[AgentClient]) -> None:
    first, second = siblings
    peer = offer(first)
    with flaky_server(TABLE) as store:
        second.post("prepare", **request(peer, url(store)))
        if why == "it is told the table":
            assert prepared(first, NEW.request())
        else:
            with pytest.raises(AgentFailure, match="No such file"):
                prepared(first, request({"kind": "file", "path": "/nowhere"}))
        assert second.answer(NEW.archive)["tree_sha256"] == NEW.tree_sha256
        assert len(store.asked) == 1


def test_what_a_request_says_is_no_table(siblings: list[AgentClient]) -> None:
    asked = NEW.request()
    asked["table_gz"] = asked.pop("table_z")
    with pytest.raises(AgentFailure, match="table_z"):
        prepared(siblings[0], asked)
