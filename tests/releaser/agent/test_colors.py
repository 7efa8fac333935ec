"""Blue and green: which colour is idle, through flips, ways back and crashes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.agent_client import AgentClient, AgentFailure, agent
from support.archives import make_artifact


def prepare(client: AgentClient, *versions: str) -> None:
    for version in versions:
        artifact = make_artifact(version, {"app/version": version.encode()})
        client.ask("prepare", archive=artifact.archive, **artifact.request())


def link(root: Path, name: str) -> str:
    return (root / name).readlink().name


def start(client: AgentClient, version: str, release: str) -> dict[str, Any]:
    """Take the idle colour and call its instance healthy."""
    taken = client.ask("color", version=version, release=release)
    ready(client, taken["color"], version, release)
    return taken


def ready(client: AgentClient, color: str, version: str, release: str) -> None:
    client.ask("ready", color=color, version=version, release=release, ready=True)


def release(client: AgentClient, version: str, name: str) -> str:
    color: str = start(client, version, name)["color"]
    client.ask("activate", version=version, release=name, color=color)
    client.ask("confirm", version=version, release=name)
    return color


def test_releases_take_turns_and_the_other_colour_stays_as_it_is(root: Path) -> None:
    with agent(root) as client:
        prepare(client, "1.0", "2.0", "3.0")
        assert release(client, "1.0", "r1") == "blue"
        assert release(client, "2.0", "r2") == "green"
        assert (link(root, "blue"), link(root, "green"), link(root, "current")) == (
            "1.0",
            "2.0",
            "2.0",
        )
        state = client.ask("state")["state"]
        assert (state["color"], state["colors"]) == ("green", {"blue": "1.0", "green": "2.0"})
        assert release(client, "3.0", "r3") == "blue"


def test_an_idle_colour_that_never_flipped_is_taken_again(root: Path) -> None:
    with agent(root) as client:
        prepare(client, "1.0", "2.0", "3.0")
        release(client, "1.0", "r1")
        assert start(client, "2.0", "r2")["color"] == "green"
    with agent(root) as client:
        taken = client.ask("color", version="3.0", release="r3")
    assert taken == {"color": "green", "live": "blue", "ready": False, "release": None}
    assert (link(root, "current"), link(root, "green")) == ("1.0", "3.0")


def test_going_back_leaves_the_good_colour_and_the_same_run_finds_its_own_again(
    root: Path,
) -> None:
    with agent(root) as client:
        prepare(client, "1.0", "2.0")
        release(client, "1.0", "r1")
        start(client, "2.0", "r2")
        client.ask("activate", version="2.0", release="r2", color="green")
    with agent(root) as client:
        taken = client.ask("color", version="2.0", release="r2")
        assert taken == {"color": "green", "live": "blue", "ready": True, "release": "r2"}
        client.ask("activate", version="1.0", release="r2", color="blue")
        client.ask("confirm", version="1.0", release="r2")
        state = client.ask("state")["state"]
    assert (state["color"], state["intent"], state["current"]) == ("blue", None, "1.0")


def test_the_same_version_again_takes_the_other_colour_and_goes_back_to_its_own(
    root: Path,
) -> None:
    with agent(root) as client:
        prepare(client, "1.0")
        release(client, "1.0", "r1")
        assert start(client, "1.0", "r2")["color"] == "green"
        client.ask("activate", version="1.0", release="r2", color="green")
        assert client.ask("state")["state"]["intent"]["color"] == "green"
        client.ask("activate", version="1.0", release="r2", color="blue")
        state = client.ask("state")["state"]
    assert (state["color"], state["intent"]) == ("blue", None)


@pytest.mark.parametrize(("name", "color"), [("r1", "blue"), ("r2", "green")])
def test_a_first_release_that_was_interrupted_after_its_flip(
    root: Path, name: str, color: str
) -> None:
    with agent(root) as client:
        prepare(client, "1.0", "2.0")
        start(client, "1.0", "r1")
        client.ask("activate", version="1.0", release="r1", color="blue")
    with agent(root) as client:
        # The run itself goes on with its colour; another leaves alone what may serve by now.
        version = "1.0" if name == "r1" else "2.0"
        assert client.ask("color", version=version, release=name)["color"] == color


def test_a_start_that_was_not_seen_to_its_end_counts_as_none(root: Path) -> None:
    with agent(root) as client:
        prepare(client, "1.0", "2.0")
        release(client, "1.0", "r1")
        client.ask("color", version="2.0", release="r2")
        assert client.ask("color", version="2.0", release="r2")["ready"] is False
        ready(client, "green", "2.0", "r2")
        assert client.ask("color", version="2.0", release="r2")["ready"] is True
        client.ask("ready", color="green", version="2.0", release="r2", ready=False)
        assert client.ask("color", version="2.0", release="r2")["ready"] is False


def test_a_colour_never_serves_a_version_that_it_does_not_have(root: Path) -> None:
    with agent(root) as client:
        prepare(client, "1.0", "2.0")
        release(client, "1.0", "r1")
        for color in ("green", "blue"):
            with pytest.raises(AgentFailure, match=f"{color} does not have 2.0") as caught:
                client.ask("activate", version="2.0", release="r2", color=color)
            assert caught.value.code == "invalid"
        with pytest.raises(AgentFailure, match=r"green has nothing on this host, not 2\.0"):
            ready(client, "green", "2.0", "r2")
        with pytest.raises(AgentFailure, match="blue or green"):
            client.ask("activate", version="2.0", release="r2", color="red")
        with pytest.raises(AgentFailure, match=r"no complete release 3\.0"):
            client.ask("color", version="3.0", release="r2")
        assert client.ask("state")["state"]["intent"] is None
    assert link(root, "current") == "1.0"


def test_something_else_in_a_colours_place_is_not_touched(root: Path) -> None:
    with agent(root) as client:
        prepare(client, "1.0")
        (root / "blue").mkdir()
        with pytest.raises(AgentFailure, match="blue is not a link") as caught:
            client.ask("color", version="1.0", release="r1")
    assert caught.value.code == "invalid"
    assert (root / "blue").is_dir()


def test_a_link_that_somebody_took_away_is_made_again_on_the_way_back(root: Path) -> None:
    with agent(root) as client:
        prepare(client, "1.0", "2.0")
        release(client, "1.0", "r1")
        start(client, "2.0", "r2")
        client.ask("activate", version="2.0", release="r2", color="green")
        (root / "blue").unlink()
        client.ask("activate", version="1.0", release="r2", color="blue")
    assert (link(root, "current"), link(root, "blue")) == ("1.0", "1.0")


def test_what_is_named_like_a_colour_does_not_matter_where_there_are_none(root: Path) -> None:
    with agent(root) as client:
        prepare(client, "1.0")
        (root / "blue").mkdir()
        client.ask("activate", version="1.0", release="r1")
        client.ask("confirm", version="1.0", release="r1")
        assert client.ask("prune", keep=2, never=[])["removed"] == []


def test_what_a_colour_has_is_never_pruned(root: Path) -> None:
    with agent(root) as client:
        prepare(client, "1.0", "2.0", "3.0", "4.0")
        release(client, "1.0", "r1")
        start(client, "2.0", "r2")
        pruned = client.ask("prune", keep=2, never=[])
    assert pruned["removed"] == ["3.0", "4.0"]
    assert pruned["kept"]["2.0"] == "what blue or green has"
    assert (link(root, "blue"), link(root, "green")) == ("1.0", "2.0")


def test_a_release_without_colours_puts_an_end_to_them(root: Path) -> None:
    with agent(root) as client:
        prepare(client, "1.0", "2.0")
        release(client, "1.0", "r1")
        client.ask("activate", version="2.0", release="r2")
        client.ask("activate", version="1.0", release="r2", color="blue")
        assert client.ask("state")["state"]["color"] == "blue", "back where it was"
        client.ask("activate", version="2.0", release="r3")
        client.ask("confirm", version="2.0", release="r3")
        state = client.ask("state")["state"]
    assert (state["color"], state["colors"]) == (None, {})
    assert not (root / "blue").is_symlink()


def test_a_state_from_before_there_were_colours_is_read(root: Path) -> None:
    with agent(root) as client:
        prepare(client, "1.0")
        client.ask("activate", version="1.0", release="r1")
        client.ask("confirm", version="1.0", release="r1")
    path = root / ".castoff/state.json"
    values = json.loads(path.read_text())
    del values["color"], values["colors"]
    path.write_text(json.dumps(values))
    with agent(root) as client:
        assert client.ask("color", version="1.0", release="r2")["color"] == "blue"
