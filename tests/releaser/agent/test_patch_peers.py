"""Siblings give each other the patch that they fetch: the store gives it once."""

from __future__ import annotations

import random
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support.agent_client import AgentClient, AgentFailure, agent
from support.archives import make_artifact
from support.flaky_http import Answer, FlakyServer, flaky_server
from support.patched import MadePatch, make_patch

pytestmark = pytest.mark.skipif(
    shutil.which("zstd") is None, reason="needs zstd (Debian package zstd)"
)

TOKEN = secrets.token_hex(32)
_DICE = random.Random(5)
SAME = {f"lib/{n:02}.bin": _DICE.randbytes(40_000) for n in range(8)}
TEXT = _DICE.randbytes(90_000)
OLD = make_artifact("1.0", {**SAME, "app/data.bin": TEXT}, raw_member=32_768)
NEW = make_artifact(
    "2.0", {**SAME, "app/data.bin": TEXT + _DICE.randbytes(20_000)}, raw_member=32_768
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadePatch:
    return make_patch(OLD, NEW, tmp_path_factory.mktemp("patch"))


@pytest.fixture
def siblings(tmp_path: Path) -> Iterator[list[AgentClient]]:
    """Two hosts that have the old release."""
    with ExitStack() as stack:
        clients = [stack.enter_context(agent(tmp_path / f"{n}/shop")) for n in range(2)]
        for client in clients:
            client.ask("prepare", archive=OLD.archive, **OLD.request())
        yield clients


def offer(client: AgentClient, made: MadePatch, **changes: Any) -> dict[str, Any]:
    """Let a host offer its patch; return the source that it is for its siblings."""
    asked = {"address": "127.0.0.1", "fallback": "127.0.0.1", "port": 0, "seconds": 60}
    patch = made.said["sha256"]
    place = client.ask("offer", token=TOKEN, **{**asked, "patch": patch, **changes})
    return peer_at(place["port"], made)


def peer_at(port: int, made: MadePatch) -> dict[str, Any]:
    place = {"address": "127.0.0.1", "port": port}
    return {"kind": "peer", "name": "web1", "token": TOKEN, "patch": made.said["sha256"], **place}


def url(server: FlakyServer) -> dict[str, Any]:
    return {"kind": "url", "url": server.url()}


def check(client: AgentClient, done: dict[str, Any]) -> None:
    assert done["tree_sha256"] == NEW.tree_sha256
    assert client.ask("verify", version="2.0")["tree_sha256"] == NEW.tree_sha256


def test_the_store_gives_a_patch_once(
    siblings: list[AgentClient], made: MadePatch, tmp_path: Path
) -> None:
    first, second = siblings
    held = threading.Event()
    peer = offer(first, made)
    with (
        flaky_server(made.data, Answer(hold=held)) as patches,
        flaky_server(NEW.archive) as archives,
    ):
        sources = [url(archives)]
        # It asks before its sibling has anything.
        second.post("prepare", **NEW.request(sources=sources, **made.offer(peer, url(patches))))
        first.post("prepare", **NEW.request(sources=sources, **made.offer(url(patches))))
        held.set()
        mine, theirs = first.answer(), second.answer()
        assert len(patches.asked) == 1
        assert not archives.asked
    check(first, mine)
    check(second, theirs)
    assert mine["ways"] == {"patch": len(made.data)}
    assert theirs["ways"] == {"patch": 0, "peer": len(made.data)}
    assert TOKEN.encode() not in first.heard + second.heard
    # It is gone, and what holds it for siblings lets it go with the endpoint.
    assert not list((tmp_path / "0/shop/.castoff/staging").iterdir())
    assert any("/staging/patch/" in name for name in _open_files(first))
    first.ask("withdraw")
    assert not [name for name in _open_files(first) if "staging" in name]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(wrong=True),
        Answer(shift=7),
        Answer(limit=900),
        Answer(status=404),
        Answer(status=416),
    ],
    ids=lambda answer: f"{answer.status}{answer.wrong}{answer.limit}",
)
def test_a_sibling_that_lies_about_a_patch_costs_the_next_source(
    answer: Answer, siblings: list[AgentClient], made: MadePatch
) -> None:
    client = siblings[0]
    with (
        flaky_server(made.data, answer) as peer,
        flaky_server(made.data) as patches,
        flaky_server(NEW.archive) as archives,
    ):
        given = made.offer(peer_at(peer.port, made), url(patches))
        done = client.ask("prepare", **NEW.request(sources=[url(archives)], **given))
        assert peer.asked[0][0] == f"/patch-{made.said['sha256']}"
        assert len(peer.asked) == len(patches.asked) == 1
        assert not archives.asked
    check(client, done)
    assert not done["notes"]
    assert done["ways"]["patch"] == len(made.data)


@pytest.mark.parametrize("why", ["none is told", "it is another", "it cannot be had", "it lies"])
def test_a_sibling_without_the_patch_lets_nobody_wait(
    why: str, siblings: list[AgentClient], made: MadePatch
) -> None:
    first, second = siblings
    bad = [Answer(wrong=True)] if why == "it lies" else [Answer(status=404)]
    peer = offer(first, made, **({"patch": "ab" * 32} if why == "it is another" else {}))
    with (
        flaky_server(made.data) as patches,
        flaky_server(made.data, *bad) as none,
        flaky_server(NEW.archive) as archives,
    ):
        sources = [url(archives)]
        second.post("prepare", **NEW.request(sources=sources, **made.offer(peer, url(patches))))
        told = {} if why == "none is told" else made.offer(url(none))
        check(first, first.ask("prepare", **NEW.request(sources=sources, **told)))
        done = second.answer()
        assert len(patches.asked) == 1
    check(second, done)
    assert done["ways"] == {"patch": len(made.data)}


@pytest.mark.parametrize("patch", ["../table", "AB" * 32, "ab", 7])
def test_no_other_name_is_served(
    siblings: list[AgentClient], made: MadePatch, patch: object
) -> None:
    with pytest.raises(AgentFailure) as failed:
        offer(siblings[0], made, patch=patch)
    assert failed.value.code == "invalid"


def _open_files(client: AgentClient) -> list[str]:
    folder = Path(f"/proc/{client.process.pid}/fd")
    return [str(path.readlink()) for path in folder.iterdir() if path.is_symlink()]
