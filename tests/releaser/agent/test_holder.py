"""Who holds the host's lock, as a reader sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.agent_client import AgentFailure, agent, open_request


def test_the_holder_of_the_lock_is_seen_for_as_long_as_it_lives(root: Path) -> None:
    with agent(root, lock=False) as reader:
        assert reader.ask("lock") == {"holder": None}
        with agent(root, owner="release 2 by ann@desk"):
            assert reader.ask("lock")["holder"].startswith("release 2 by ann@desk (agent's process")
        assert reader.ask("lock") == {"holder": None}, "though its name still stands in the file"


def test_looking_takes_nothing_from_anybody(root: Path) -> None:
    with agent(root, lock=False) as reader, agent(root) as holder:
        reader.ask("lock")
        with agent() as other, pytest.raises(AgentFailure, match="another release"):
            other.ask("open", **open_request(root))
        holder.ask("prune", keep=2, never=[])
