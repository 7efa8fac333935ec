"""Siblings fetch from each other: the store gives each byte once, and nobody has to be trusted."""

from __future__ import annotations

import http.client
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from castoff.releaser.agent import peer
from castoff.releaser.agent.errors import AgentError
from castoff.releaser.agent.parameters import Parameters
from castoff.releaser.agent.peer_token import key_of, proof
from castoff.releaser.agent.ranges import Range
from support.agent_client import AgentClient, AgentFailure, agent, open_request
from support.archives import Artifact, make_artifact
from support.flaky_http import Answer, FlakyServer, flaky_server
from support.ports import free_ports

TOKEN = secrets.token_hex(32)
OTHER = secrets.token_hex(32)
SAME = {f"lib/{n:02}.bin": os.urandom(30_000) for n in range(40)}
OLD = make_artifact("1.0", {**SAME, "app/main.py": b"one"}, raw_member=16_384)
NEW = make_artifact(
    "2.0", {**SAME, "app/main.py": b"two", "lib/05.bin": os.urandom(250_000)}, raw_member=16_384
)


@pytest.fixture
def siblings(tmp_path: Path) -> Iterator[list[AgentClient]]:
    """Two hosts."""
    with ExitStack() as stack:
        yield [stack.enter_context(agent(tmp_path / f"{n}/shop")) for n in range(2)]


def offer(client: AgentClient, **changes: Any) -> dict[str, Any]:
    """Let a host offer what it will have; return the source that it is for its siblings."""
    place = {"address": "127.0.0.1", "fallback": "127.0.0.1", "port": 0}
    asked = {"token": TOKEN, **place, "seconds": 60, **changes}
    place = client.ask("offer", **asked)
    return {"kind": "peer", "name": "web1", "token": TOKEN, **place}


def url(server: FlakyServer) -> dict[str, Any]:
    return {"kind": "url", "url": server.url()}


def check(client: AgentClient, done: dict[str, Any], artifact: Artifact) -> None:
    assert done["tree_sha256"] == artifact.tree_sha256
    found = client.ask("verify", version=artifact.version)
    assert found["tree_sha256"] == artifact.tree_sha256
    assert not found["changed"] + found["missing"] + found["extra"]


def test_the_store_gives_each_byte_once_while_both_fetch(siblings: list[AgentClient]) -> None:
    first, second = siblings
    held = threading.Event()
    peer = offer(first)
    with flaky_server(NEW.archive, Answer(limit=400_000), Answer(hold=held)) as store:
        # It asks before its sibling has anything, and while that waits for the rest.
        second.post("prepare", **NEW.request(sources=[peer, url(store)]))
        first.post("prepare", **NEW.request(sources=[url(store)]))
        while (event := second.read()).get("step") != "fetch":
            assert event["event"] == "progress"
        held.set()
        mine, theirs = first.answer(), second.answer()
        assert [wanted for _, wanted in store.asked] == [None, "bytes=400000-"]
    check(first, mine, NEW)
    check(second, theirs, NEW)
    assert mine["ways"] == {"archive": len(NEW.archive)}
    members = sum(member.length for member in NEW.table.members)
    assert theirs["ways"] == {"peer": members}
    for client in siblings:
        assert TOKEN.encode() not in client.heard


def test_what_a_sibling_has_not_comes_from_the_store(siblings: list[AgentClient]) -> None:
    first, second = siblings
    first.ask("prepare", archive=OLD.archive, **OLD.request())
    peer = offer(first)
    with flaky_server(NEW.archive) as store:
        first.post("prepare", **NEW.request(sources=[url(store)]))
        done = second.ask("prepare", **NEW.request(sources=[peer, url(store)]))
        check(first, first.answer(), NEW)
    check(second, done, NEW)
    assert 250_000 < done["ways"]["peer"] < 310_000
    assert done["ways"]["ranges"] + done["ways"]["peer"] <= len(NEW.archive)


def test_what_lay_there_already_is_given_too(siblings: list[AgentClient]) -> None:
    first, second = siblings
    with (
        flaky_server(NEW.archive, Answer(limit=200_000), Answer(status=404)) as store,
        pytest.raises(AgentFailure),
    ):
        first.ask("prepare", **NEW.request(sources=[url(store)]))
    peer = offer(first)
    with flaky_server(NEW.archive) as store:
        first.ask("prepare", **NEW.request(sources=[url(store)]))
        before = len(store.asked)
        done = second.ask("prepare", **NEW.request(sources=[peer, url(store)]))
        assert len(store.asked) == before
    check(second, done, NEW)


@pytest.mark.parametrize(
    "answers",
    [
        [Answer(wrong=True)],
        [Answer(shift=7)],
        [Answer(ranges=False)],
        [Answer(limit=50_000)],
        [Answer(limit=50_000, reset=True)],
        [Answer(status=403)],
        [Answer(status=500)],
        [Answer(status=404)],
        [Answer(status=404, headers={"Castoff-Next": "0"})],
        [Answer(status=404, headers={"Castoff-Next": "9" * 18})],
    ],
)
def test_a_peer_that_lies_or_dies_costs_the_next_source(
    answers: list[Answer], siblings: list[AgentClient]
) -> None:
    client = siblings[0]
    with flaky_server(NEW.archive, *answers) as peer, flaky_server(NEW.archive) as store:
        source = {"kind": "peer", "name": "web1", "token": TOKEN, "address": "127.0.0.1"}
        sources = [{**source, "port": peer.port}, url(store)]
        done = client.ask("prepare", **NEW.request(sources=sources))
        assert len(peer.asked) <= 2
        assert store.asked
    check(client, done, NEW)


def test_a_peer_that_is_not_there_costs_the_next_source(siblings: list[AgentClient]) -> None:
    client = siblings[0]
    source = {"kind": "peer", "name": "web1", "token": TOKEN, "address": "127.0.0.1"}
    with flaky_server(NEW.archive) as store:
        sources = [{**source, "port": free_ports(1)[0]}, url(store)]
        check(client, client.ask("prepare", **NEW.request(sources=sources)), NEW)
        with pytest.raises(AgentFailure, match="web1 cannot be reached: Connection refused"):
            client.ask("prepare", **OLD.request(sources=sources[:1]))


def test_a_peer_that_is_killed_meanwhile_costs_the_next_source(
    siblings: list[AgentClient], tmp_path: Path
) -> None:
    second = siblings[1]
    held = threading.Event()
    with flaky_server(NEW.archive, Answer(limit=400_000), Answer(hold=held)) as store:
        with flaky_server(NEW.archive) as other:
            dying = AgentClient()
            dying.ask("open", **open_request(tmp_path / "dying/shop"))
            peer = offer(dying)
            dying.post("prepare", **NEW.request(sources=[url(store)]))
            second.post("prepare", **NEW.request(sources=[peer, url(other)]))
            while (event := second.read()).get("step") != "fetch":
                assert event["event"] == "progress"
            dying.process.kill()
            dying.close()
            done = second.answer()
            assert all(wanted is not None for _, wanted in other.asked), "what came is kept"
        held.set()
    check(second, done, NEW)
    assert done["ways"]["peer"] > 0


def test_a_peer_whose_own_fetch_fails_lets_nobody_wait(siblings: list[AgentClient]) -> None:
    first, second = siblings
    peer = offer(first)
    with flaky_server(NEW.archive) as store:
        second.post("prepare", **NEW.request(sources=[peer, url(store)]))
        with pytest.raises(AgentFailure):
            first.ask("prepare", **NEW.request(sources=[{"kind": "file", "path": "/nowhere"}]))
        check(second, second.answer(), NEW)


def test_siblings_that_only_let_us_wait_share_one_allowance_and_are_asked_once(
    siblings: list[AgentClient],
) -> None:
    client = siblings[0]
    early = Answer(status=425)
    with (
        flaky_server(NEW.archive, early) as first,
        flaky_server(NEW.archive, early) as second,
        flaky_server(NEW.archive, early, early, Answer()) as third,
        flaky_server(OLD.archive) as store,
    ):
        peers = [
            {"kind": "peer", "name": name, "token": TOKEN, "address": "127.0.0.1", "port": it.port}
            for name, it in (("web1", first), ("web2", second), ("web3", third))
        ]
        done = client.ask("prepare", **NEW.request(sources=[*peers, url(store)]))
        assert done["ways"].keys() == {"peer"}
        asked = [len(it.asked) for it in (first, second)]
        # As long as one sibling may let us wait, and what each other one gets at the least.
        assert asked == [13, 3]
        check(client, client.ask("prepare", **OLD.request(sources=[*peers[:2], url(store)])), OLD)
        assert [len(it.asked) for it in (first, second)] == asked


def test_a_sibling_that_does_not_say_a_word_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "_PATIENCE", 0.2)
    flow: Any = SimpleNamespace(
        arrivals=SimpleNamespace(run_from=lambda *_: Range(0, 10)),
        channel=SimpleNamespace(check=lambda *_: None),
    )
    known = peer.Siblings()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        said = {"name": "web1", "token": TOKEN, "address": "127.0.0.1"}
        source = Parameters({**said, "port": silent.getsockname()[1]})
        for trouble in ("does not answer: no answer in time", "gave nothing before"):
            with pytest.raises(AgentError, match=trouble):
                peer.take_from_peer(source, flow, "archive", known)


def ask(port: int, method: str = "GET", path: str = "/archive", **headers: str) -> int:
    """Return how the endpoint answers a stranger."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        status, body = response.status, response.read()
        assert (status == 206) == bool(body)
        return status
    finally:
        connection.close()


def test_only_siblings_get_anything_and_only_ranges(siblings: list[AgentClient]) -> None:
    first = siblings[0]
    port = offer(first)["port"]
    first.ask("prepare", archive=NEW.archive, **NEW.request())
    end = NEW.table.members[0].length - 1
    first_member, two = f"bytes=0-{end}", f"bytes=0-{end},0-{end}"

    def shown(path: str, wanted: str, token: str = TOKEN) -> str:
        return f"Castoff {proof(key_of(token), path, wanted)}"

    right = shown("/archive", first_member)
    assert ask(port, Range=first_member, Authorization=right) == 206
    assert ask(port, Range=first_member) == 403
    assert ask(port, Range=first_member, Authorization=right[len("Castoff ") :]) == 403
    other = shown("/archive", first_member, OTHER)
    assert ask(port, Range=first_member, Authorization=other) == 403
    assert ask(port, Range=f"bytes=0-{end + 1}", Authorization=right) == 403
    assert ask(port, Authorization=shown("/archive", "")) == 416
    assert ask(port, Range=two, Authorization=shown("/archive", two)) == 416
    for path in ("/", "/etc/passwd"):
        wrong = shown(path, first_member)
        assert ask(port, path=path, Range=first_member, Authorization=wrong) == 416
    middle = f"bytes=1-{end}"
    assert ask(port, Range=middle, Authorization=shown("/archive", middle)) == 404
    for method in ("POST", "PUT", "DELETE"):
        assert ask(port, method, Range=first_member, Authorization=right) == 501


def refuses(port: int) -> bool:
    try:
        ask(port)
    except ConnectionError:
        return True
    return False


def test_the_endpoint_ends_when_it_is_withdrawn(siblings: list[AgentClient]) -> None:
    first = siblings[0]
    port = offer(first)["port"]
    assert not refuses(port)
    first.ask("withdraw")
    assert refuses(port)
    first.ask("withdraw")
    assert not refuses(offer(first)["port"])


def test_the_endpoint_ends_by_itself(siblings: list[AgentClient]) -> None:
    port = offer(siblings[0], seconds=0.2)["port"]
    until_refused = threading.Event()
    for _ in range(600):
        if refuses(port):
            return
        until_refused.wait(0.05)
    pytest.fail("it still answers")


def test_the_endpoint_ends_with_the_agent(tmp_path: Path) -> None:
    with agent(tmp_path / "shop") as client:
        port = offer(client)["port"]
    assert refuses(port)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"token": "ab" * 31}, "invalid"),
        ({"token": "no hex"}, "invalid"),
        ({"address": "192.0.2.1"}, "peer"),
    ],
)
def test_an_offer_that_cannot_be_made_is_told(
    changes: dict[str, Any], code: str, siblings: list[AgentClient]
) -> None:
    with pytest.raises(AgentFailure) as caught:
        offer(siblings[0], **changes)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("connection", "fallback"),
    [("192.0.2.7 51000 127.0.0.1 22", "192.0.2.1"), ("::1 51000 ::1 22", "x"), ("", "localhost")],
)
def test_nobody_is_sent_to_itself(connection: str, fallback: str, tmp_path: Path) -> None:
    client = AgentClient(env={"SSH_CONNECTION": connection})
    try:
        client.ask("open", **open_request(tmp_path / "shop"))
        with pytest.raises(AgentFailure, match=r"no other host can reach|cannot listen") as caught:
            offer(client, address=None, fallback=fallback)
        assert caught.value.code == "peer"
    finally:
        client.close()


def test_it_listens_where_sshd_says_that_the_controller_came_in(tmp_path: Path) -> None:
    client = AgentClient(env={"SSH_CONNECTION": "192.0.2.7 51000 192.0.2.9 22"})
    try:
        client.ask("open", **open_request(tmp_path / "shop"))
        with pytest.raises(AgentFailure, match=r"cannot listen at 192\.0\.2\.9"):
            offer(client, address=None)
    finally:
        client.close()


def test_the_journal_tells_of_the_offer_and_not_of_its_token(
    siblings: list[AgentClient], tmp_path: Path
) -> None:
    offer(siblings[0])
    journal = (tmp_path / "0/shop/.castoff/journal.jsonl").read_text()
    assert '"offer"' in journal
    assert TOKEN not in journal
