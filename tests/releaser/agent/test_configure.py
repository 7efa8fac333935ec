"""Rendered configuration on a host: in the release and outside, checked, switched, given back."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from support.agent_client import AgentClient, AgentFailure, AgentGone, agent, open_request
from support.configured import File, configure, file, good, mode
from support.killed_agent import deadly_bundle


def test_a_file_in_the_release_is_a_link_to_what_was_rendered_for_it(root: Path) -> None:
    with agent(root) as client:
        good(client, "1.0", file("app/settings.ini", "one", mode="0600"))
        good(client, "2.0", file("app/settings.ini", "two"))
        settings = root / "current/app/settings.ini"
        assert settings.is_symlink()
        assert (settings.read_text(), mode(settings)) == ("two", 0o640)
        before = root / "releases/1.0/app/settings.ini"
        assert (before.read_text(), mode(before)) == ("one", 0o600)
        verified = client.ask("verify", version="2.0")
        assert (verified["differing"], verified["extra"]) == (0, [])
        settings.write_text("by hand")
        assert client.ask("verify", version="2.0")["changed"] == ["app/settings.ini"]
        # The same values again set it right.
        good(client, "2.0", file("app/settings.ini", "two"))
        assert settings.read_text() == "two"
        assert client.ask("prune", keep=2, never=[])["removed"] == []
        good(client, "3.0", file("app/settings.ini", "three"))
        assert client.ask("prune", keep=2, never=[])["removed"] == ["1.0"]
        assert sorted(p.name for p in (root / ".castoff/config").iterdir()) == ["2.0", "3.0"]


def test_new_values_of_what_is_served_come_with_the_flip_and_go_with_the_way_back(
    root: Path, etc: Path
) -> None:
    def both(text: str) -> tuple[File, File]:
        return file("settings", text), file(etc / "site", text)

    def seen() -> tuple[str, str]:
        return (root / "current/settings").read_text(), (etc / "site").read_text()

    with agent(root) as client:
        good(client, "1.0", *both("old"), release="r1")
        config = configure(client, "1.0", *both("new"))["config"]
        assert seen() == ("old", "old")
        client.ask("activate", version="1.0", release="r2", config=config)
        assert seen() == ("new", "new")
        # A resumed run asks again, and has not come to its end by that.
        client.ask("activate", version="1.0", release="r2", config=config)
        assert client.ask("state")["state"]["intent"]["config"] == config
        client.ask("activate", version="1.0", release="r2")
        assert seen() == ("old", "old")
        assert client.ask("state")["state"]["intent"] is None

        client.ask("activate", version="1.0", release="r3", config=config)
        client.ask("confirm", version="1.0", release="r3")
        good(client, "2.0", *both("two"), release="r4")
        assert seen() == ("two", "two")


def test_what_was_there_before_comes_back_with_a_version_that_has_no_such_file(
    root: Path, etc: Path
) -> None:
    (etc / "site").write_text("the distribution's")
    (etc / "site").chmod(0o604)
    (etc / "link").symlink_to("elsewhere")
    with agent(root) as client:
        files = [file(etc / "site", "1"), file(etc / "link", "1"), file(etc / "new.d/own", "1")]
        good(client, "1.0", *files)
        assert [(etc / name).read_text() for name in ("site", "link", "new.d/own")] == ["1"] * 3
        assert mode(etc / "site") == 0o640
        good(client, "2.0", file(etc / "new.d/own", "2"))
        assert (etc / "site").read_text() == "the distribution's"
        assert mode(etc / "site") == 0o604
        assert str((etc / "link").readlink()) == "elsewhere"
        assert (etc / "new.d/own").read_text() == "2"
        good(client, "3.0")
        assert not (etc / "new.d/own").exists()
        # What a first release leaves when it is taken back: all as if it had never been.
        good(client, "4.0", *files)
        good(client, "3.0")
        assert (etc / "site").read_text() == "the distribution's"
    assert json.loads((root / ".castoff/outside/installed.json").read_text()) == {}
    assert list((root / ".castoff/outside/originals").iterdir()) == []


def test_a_first_release_that_fails_leaves_nothing_outside(root: Path, etc: Path) -> None:
    with agent(root) as client:
        config = configure(client, "1.0", file(etc / "site", "1"))["config"]
        client.ask("activate", version="1.0", release="r1", config=config)
        assert (etc / "site").exists()
        client.ask("activate", version=None, release="r1")
        assert list(etc.iterdir()) == []
        assert client.ask("state")["state"]["intent"] is None


def test_what_somebody_edited_is_told_and_kept_and_replaced(root: Path, etc: Path) -> None:
    with agent(root) as client:
        good(client, "1.0", file(etc / "site", "1"))
        (etc / "site").write_text("by hand")
        assert client.ask("state")["state"]["edited"] == [str(etc / "site")]
        assert client.ask("verify", version="1.0")["changed"] == [str(etc / "site")]
        notes = configure(client, "2.0", file(etc / "site", "2"))["notes"]
        assert "edited since Castoff put it there" in notes[0]
        flipped = good(client, "2.0", file(etc / "site", "2"))
        assert (etc / "site").read_text() == "2"
        (copy,) = (root / ".castoff/outside/edited").iterdir()
        assert copy.read_text() == "by hand"
        assert (mode(copy), mode(copy.parent)) == (0o600, 0o700)
        assert str(copy) in flipped["notes"][0]
        # The note goes to logs, and what was edited may hold a secret that is easy to guess.
        assert hashlib.sha256(b"by hand").hexdigest()[:8] not in flipped["notes"][0]
        assert client.ask("state")["state"]["edited"] == []


@pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.sweep)])
def test_it_may_be_killed_before_any_call_and_whoever_comes_sets_it_right(
    root: Path, etc: Path, stride: int
) -> None:
    def files(text: str) -> tuple[File, ...]:
        own = [file(etc / "second", text)] if text == "2" else [file(etc / "first", text)]
        return file("settings", text), file(etc / "site", text), *own

    (etc / "second").write_text("before")
    with agent(root) as client:
        good(client, "1.0", *files("1"), release="r1")
        config = configure(client, "2.0", *files("2"))["config"]

    old = {"site": "1", "first": "1", "second": "before"}
    new = {"site": "2", "second": "2"}

    def there() -> dict[str, str]:
        return {path.name: path.read_text() for path in etc.iterdir()}

    calls = 0
    while True:
        calls += stride
        victim = AgentClient(source=deadly_bundle(calls))
        try:
            victim.ask("open", **open_request(root))
            victim.ask("activate", version="2.0", release="r2", config=config)
        except AgentGone:
            pass
        else:
            break
        finally:
            victim.close()
        with agent(root) as client:
            assert client.ask("state")["state"]["edited"] == []
            # Every second time forward, else back; the way back from there as well.
            if calls % 2:
                client.ask("activate", version="2.0", release="r2", config=config)
                assert there() == new
                assert (root / "current/settings").read_text() == "2"
            flipped = client.ask("activate", version="1.0", release="r2")
            assert (there(), flipped["notes"]) == (old, [])
            assert (root / "current/settings").read_text() == "1"
    assert calls > 40
    assert there() == new
    assert not (root / ".castoff/outside/edited").exists() or not list(
        (root / ".castoff/outside/edited").iterdir()
    )


def test_taking_a_set_in_may_be_killed_before_any_call(root: Path, etc: Path) -> None:
    def files(text: str) -> tuple[File, ...]:
        return file("settings", text), file(etc / "site", text)

    with agent(root) as client:
        good(client, "1.0", *files("1"))
        configure(client, "2.0", *files("0"))
    calls = 0
    while True:
        calls += 3
        victim = AgentClient(source=deadly_bundle(calls))
        try:
            victim.ask("open", **open_request(root))
            config = configure(victim, "2.0", *files("2"))["config"]
        except AgentGone:
            assert (root / "current/settings").read_text() == "1"
            assert (etc / "site").read_text() == "1"
            continue
        finally:
            victim.close()
        break
    assert calls > 20
    with agent(root) as client:
        client.ask("activate", version="2.0", release="r2", config=config)
    assert (root / "current/settings").read_text() == "2"
    assert (etc / "site").read_text() == "2"


def test_a_served_release_takes_no_file_that_it_was_not_prepared_with(root: Path) -> None:
    with agent(root) as client:
        good(client, "1.0", file("settings", "1"))
        with pytest.raises(AgentFailure, match="no link for more") as caught:
            configure(client, "1.0", file("settings", "1"), file("more", "1"))
        assert caught.value.code == "invalid"


def test_blue_and_green_never_differ_in_what_both_read(root: Path) -> None:
    with agent(root) as client:
        configure(client, "1.0", file("settings", "1"))
        client.ask("color", version="1.0", release="r1")
        client.ask("ready", color="blue", version="1.0", release="r1", ready=True)
        # Other values before it serves: what runs in blue was started with those before.
        config = configure(client, "1.0", file("settings", "2"))["config"]
        assert not client.ask("color", version="1.0", release="r1")["ready"]
        client.ask("ready", color="blue", version="1.0", release="r1", ready=True)
        client.ask("activate", version="1.0", release="r1", color="blue", config=config)
        client.ask("confirm", version="1.0", release="r1")
        with pytest.raises(AgentFailure, match="blue and green would read") as caught:
            configure(client, "1.0", file("settings", "3"))
        assert caught.value.code == "invalid"
