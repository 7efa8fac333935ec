from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from support.agent_client import AgentClient, AgentFailure, agent
from support.archives import make_artifact


def prepare(client: AgentClient, *versions: str) -> None:
    for version in versions:
        artifact = make_artifact(version, {"app/version": version.encode()})
        client.ask("prepare", archive=artifact.archive, **artifact.request())


def good(client: AgentClient, version: str, release: str) -> None:
    client.ask("activate", version=version, release=release)
    client.ask("confirm", version=version, release=release)


def test_a_flip_is_an_intent_until_it_is_confirmed(root: Path) -> None:
    with agent(root) as client:
        prepare(client, "1.0", "2.0")
        good(client, "1.0", "r1")
        before = time.time()
        result = client.ask("activate", version="2.0", release="r2")
        assert result["from"] == "1.0"
        assert before - 1 <= result["at"] <= time.time() + 1
        assert client.ask("state")["state"] == {
            "current": "2.0",
            "good": "1.0",
            "previous": None,
            "releases": ["1.0", "2.0"],
            "intent": {"release": "r2", "from": "1.0", "to": "2.0"},
            "color": None,
            "colors": {},
            "maintenance": False,
            "quarantine": None,
            "configured": False,
            "edited": [],
        }
        assert client.ask("confirm", version="2.0", release="r2") == {}
        assert client.ask("state")["state"] == {
            "current": "2.0",
            "good": "2.0",
            "previous": "1.0",
            "releases": ["1.0", "2.0"],
            "intent": None,
            "color": None,
            "colors": {},
            "maintenance": False,
            "quarantine": None,
            "configured": False,
            "edited": [],
        }
    assert str((root / "current").readlink()) == "releases/2.0"


def test_flipping_back_in_the_same_release_takes_the_intent_away(root: Path) -> None:
    with agent(root) as client:
        prepare(client, "1.0", "2.0")
        good(client, "1.0", "r1")
        client.ask("activate", version="2.0", release="r2")
        client.ask("activate", version="1.0", release="r2")
        state = client.ask("state")["state"]
    assert (state["current"], state["good"], state["intent"]) == ("1.0", "1.0", None)


def test_flipping_back_in_another_release_is_an_intent_of_its_own(root: Path) -> None:
    with agent(root) as client:
        prepare(client, "1.0", "2.0")
        good(client, "1.0", "r1")
        client.ask("activate", version="2.0", release="r2")
        client.ask("activate", version="1.0", release="r3")
        state = client.ask("state")["state"]
    assert state["intent"] == {"release": "r3", "from": "2.0", "to": "1.0"}


def test_a_failed_first_release_goes_back_to_nothing(root: Path) -> None:
    with agent(root) as client:
        prepare(client, "1.0")
        assert client.ask("activate", version="1.0", release="r1")["from"] is None
        assert client.ask("activate", version=None, release="r1")["from"] == "1.0"
        state = client.ask("state")["state"]
        assert (state["current"], state["good"], state["intent"]) == (None, None, None)
        assert not os.path.lexists(root / "current")
        client.ask("activate", version=None, release="r1")


def test_the_previous_version_stays_when_one_is_confirmed_again(root: Path) -> None:
    with agent(root) as client:
        prepare(client, "1.0", "2.0")
        good(client, "1.0", "r1")
        good(client, "2.0", "r2")
        good(client, "2.0", "r3")
        assert client.ask("state")["state"]["previous"] == "1.0"
        good(client, "1.0", "r4")
        state = client.ask("state")["state"]
    assert (state["good"], state["previous"]) == ("1.0", "2.0")


def test_only_what_is_served_can_be_confirmed(root: Path) -> None:
    with agent(root) as client:
        prepare(client, "1.0", "2.0")
        with pytest.raises(AgentFailure, match="serves nothing"):
            client.ask("confirm", version="1.0", release="r1")
        client.ask("activate", version="1.0", release="r1")
        with pytest.raises(AgentFailure, match=r"serves 1\.0") as caught:
            client.ask("confirm", version="2.0", release="r1")
        assert caught.value.code == "invalid"


def test_a_release_that_is_not_whole_is_not_activated(root: Path) -> None:
    with agent(root) as client:
        prepare(client, "1.0")
        good(client, "1.0", "r1")
        (root / "releases/2.0").mkdir()
        for version in ("2.0", "3.0"):
            with pytest.raises(AgentFailure, match=version) as caught:
                client.ask("activate", version=version, release="r2")
            assert caught.value.code == "missing"
        assert client.ask("state")["state"]["intent"] is None
    assert str((root / "current").readlink()) == "releases/1.0"


def test_a_current_that_is_a_folder_is_never_replaced(root: Path) -> None:
    with agent(root) as client:
        prepare(client, "1.0")
        (root / "current").mkdir()
        with pytest.raises(AgentFailure, match="not a link") as caught:
            client.ask("activate", version="1.0", release="r1")
        assert caught.value.code == "invalid"
        assert (root / "current").is_dir()


def test_readers_never_see_a_gap(root: Path) -> None:
    done = threading.Event()
    seen: set[bytes] = set()
    gaps: list[OSError] = []
    reads = 0

    def read() -> None:
        nonlocal reads
        while not done.is_set():
            try:
                seen.add((root / "current/app/version").read_bytes())
            except OSError as error:
                gaps.append(error)
            reads += 1

    with agent(root) as client:
        prepare(client, "1.0", "2.0")
        client.ask("activate", version="1.0", release="r0")
        reader = threading.Thread(target=read)
        reader.start()
        try:
            for number in range(200):
                version = "1.0" if number % 2 else "2.0"
                client.ask("activate", version=version, release=f"r{number}")
        finally:
            done.set()
            reader.join()
    assert gaps == []
    assert seen == {b"1.0", b"2.0"}
    assert reads > 200
