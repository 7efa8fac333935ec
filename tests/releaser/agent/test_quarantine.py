"""A host knows that releases go on without it, until a version is confirmed there."""

from __future__ import annotations

from pathlib import Path

from support.agent_client import agent, open_request


def test_a_mark_stays_until_a_version_is_confirmed_and_keeps_its_first_time(
    tmp_path: Path,
) -> None:
    root = tmp_path / "app"
    with agent(root) as host:
        assert host.ask("state")["state"]["quarantine"] is None
        assert host.ask("quarantine", release="r1", why="no space") == {}
        first = host.ask("state")["state"]["quarantine"]
        assert (first["release"], first["why"]) == ("r1", "no space")
        host.ask("quarantine", release="r2", why="still none")
        second = host.ask("state")["state"]["quarantine"]
    assert (second["release"], second["since"]) == ("r2", first["since"])
    with agent() as reader:
        opened = reader.ask("open", **open_request(root, lock=False, token=0))
        assert opened["state"]["quarantine"] == second
