"""The link that the web server looks for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.agent_client import AgentFailure, agent


def test_a_page_is_switched_on_and_off_by_one_link(root: Path) -> None:
    with agent(root) as client:
        name = client.ask("page", text="<h1>soon</h1>")["page"]
        assert not os.path.lexists(root / "maintenance")
        assert client.ask("state")["state"]["maintenance"] is False
        assert client.ask("maintenance", page=name)["before"] is None
        assert (root / "maintenance/index.html").read_text() == "<h1>soon</h1>"
        assert client.ask("state")["state"]["maintenance"] is True
        assert client.ask("maintenance", page=None)["before"] == name
        assert not os.path.lexists(root / "maintenance")
        assert client.ask("maintenance", page=None)["before"] is None


def test_a_new_page_takes_the_place_of_the_old_one(root: Path) -> None:
    with agent(root) as client:
        first = client.ask("page", text="one")["page"]
        client.ask("maintenance", page=first)
        second = client.ask("page", text="two")["page"]
        assert (root / "maintenance/index.html").read_text() == "one", "still the one that is on"
        client.ask("maintenance", page=second)
        assert (root / "maintenance/index.html").read_text() == "two"
        client.ask("page", text="two")
    assert [path.name for path in (root / ".castoff/maintenance").iterdir()] == [second]


@pytest.mark.parametrize("page", ["0" * 16, "../../etc", ""])
def test_a_page_that_is_not_there_is_never_switched_on(root: Path, page: str) -> None:
    with agent(root) as client:
        client.ask("page", text="one")
        with pytest.raises(AgentFailure, match="no such maintenance page") as caught:
            client.ask("maintenance", page=page)
    assert caught.value.code == "missing"
    assert not os.path.lexists(root / "maintenance")


def test_something_else_in_its_place_is_left_alone(root: Path) -> None:
    root.mkdir(parents=True)
    (root / "maintenance").mkdir()
    with agent(root) as client:
        for page in (None, "0" * 16):
            with pytest.raises(AgentFailure, match="is not a link to one of") as caught:
                client.ask("maintenance", page=page)
            assert caught.value.code == "invalid"
        assert client.ask("state")["state"]["maintenance"] is False
    assert (root / "maintenance").is_dir()
