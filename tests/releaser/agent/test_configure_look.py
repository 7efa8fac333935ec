"""What is told of configuration files without a change: what differs, and what would change."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.agent.errors import AgentError
from castoff.releaser.agent.layout import Layout
from castoff.releaser.agent.outside import installed, look
from castoff.releaser.agent.rendered import read_set
from castoff.releaser.agent.salt import private_name
from support.agent_client import AgentFailure, agent, open_request
from support.configured import configure, file, good


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_rights_and_kinds_of_rendered_files_are_verified_too(root: Path, etc: Path) -> None:
    def changed() -> list[str]:
        found = client.ask("verify", version="1.0")
        assert found["missing"] == []
        return list(found["changed"])

    owned = {"owner": "daemon", "group": "daemon"}
    files = file("settings", "1", **owned), file(etc / "site", "1", **owned)
    inside, outside = root / "releases/1.0/settings", etc / "site"
    with agent(root) as client:
        good(client, "1.0", *files)
        assert changed() == []
        for path, name in ((inside.resolve(), "settings"), (outside, str(outside))):
            os.chown(path, 0, -1)
            assert changed() == [name]
            shutil.chown(path, "daemon", "sys")
            assert changed() == [name]
            shutil.chown(path, "daemon", "daemon")
            path.chmod(0o666)
            assert changed() == [name]
            path.chmod(0o640)
            assert changed() == []
        copy = etc / "copy"
        shutil.copy2(inside.resolve(), copy)
        shutil.chown(copy, "daemon", "daemon")
        target = inside.resolve()
        target.unlink()
        target.symlink_to(copy)
        assert changed() == ["settings"]
        good(client, "1.0", *files)
        assert changed() == []
        outside.unlink()
        assert client.ask("verify", version="1.0")["missing"] == [str(outside)]


def test_what_somebody_changed_of_a_file_with_secrets_is_not_told(root: Path, etc: Path) -> None:
    held = file(etc / "site", "key=old", shown="key=<secret KEY>", mode="0644")
    plain = {"path": str(etc / "site"), "sha256": "0" * 64, "secret": False}
    with agent(root) as client:
        good(client, "1.0", held, file(etc / "open", "1", mode="0644"))
        for name in ("site", "open"):
            with (etc / name).open("a") as more:
                more.write(" # by hand")
        # The next version's template has no secret any more, so nobody looks this value up.
        rows = client.ask("compare", files=[plain, {**plain, "path": str(etc / "open")}])["files"]
        told = {row["path"].rpartition("/")[2]: (row["edited"], row["before"]) for row in rows}
        assert told == {"site": (True, None), "open": (True, "1 # by hand")}
        (row, *_) = [row for row in client.ask("compare", files=[])["files"] if "site" in str(row)]
        assert (row["change"], row["before"]) == ("removed", None)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two users")
def test_records_of_another_user_are_named(root: Path, etc: Path) -> None:
    with agent(root) as client:
        config = configure(client, "1.0", file(etc / "site", "1"))["config"]
        client.ask("activate", version="1.0", release="r", config=config)
    layout = Layout(str(root))
    os.seteuid(65534)
    try:
        with pytest.raises(AgentError, match=f"cannot read {etc}/site as user nobody") as caught:
            look(str(etc / "site"))
        assert (caught.value.code, "sudo" in caught.value.hint) == ("permission", True)
        for reading, record in (
            (lambda: read_set(layout, "1.0", config), f"config/1.0/{config}/set.json"),
            (lambda: installed(layout), "outside/installed.json"),
            (lambda: private_name(layout, b""), "salt"),
        ):
            with pytest.raises(AgentError, match=f"{record} as user nobody: whoever") as caught:
                reading()
            assert (caught.value.code, "sudo" in caught.value.hint) == ("permission", True)
    finally:
        os.seteuid(0)


def test_where_nobody_may_write_is_known_before_the_release(root: Path, etc: Path) -> None:
    def opened(path: str, **more: str) -> None:
        with agent() as client:
            client.ask("open", **open_request(root, files=[{"path": path, **more}]))

    opened(f"{etc}/site")
    opened(f"{etc}/new.d/site")
    with pytest.raises(AgentFailure, match="there is no folder") as caught:
        opened(f"{etc}/no/such/site")
    assert caught.value.code == "invalid"
    with pytest.raises(AgentFailure, match="no user 'no-such-one'"):
        opened("settings", owner="no-such-one")
    with pytest.raises(AgentFailure, match="is not a file"):
        opened(str(etc))
    if os.geteuid() != 0:
        with pytest.raises(AgentFailure, match="cannot write /etc/x as user") as caught:
            opened("/etc/x")
        assert caught.value.code == "permission"


def test_what_would_change_is_told_without_what_others_may_not_read(root: Path, etc: Path) -> None:
    def compared(*files: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
        rows = client.ask("compare", files=list(files))["files"]
        return {
            row["path"].rpartition("/")[2]: (
                row["change"],
                row["edited"],
                row["before"],
                row["after"],
            )
            for row in rows
        }

    def wanted(path: str | Path, secret: bool = False) -> dict[str, Any]:
        return {"path": str(path), "sha256": "0" * 64, "secret": secret}

    (etc / "open").write_text("public")
    (etc / "shut").write_text("private")
    (etc / "shut").chmod(0o600)
    with agent(root) as client:
        assert compared(wanted("in"), wanted(etc / "open"), wanted(etc / "shut")) == {
            "in": ("new", False, "", None),
            "open": ("changed", False, "public", None),
            "shut": ("changed", False, None, None),
        }
        shown = file(etc / "shut", "key=abc", shown="key=<secret KEY>")
        good(client, "1.0", file("in", "1"), file(etc / "open", "1", mode="0644"), shown)
        assert compared(wanted("in"), wanted(etc / "shut", secret=True)) == {
            "in": ("changed", False, "1", None),
            "open": ("restored", False, "1", "public"),
            "shut": ("changed", False, "key=<secret KEY>", None),
        }
        (etc / "open").write_text("by hand")
        assert compared(wanted(etc / "open"), wanted(etc / "shut"))["open"] == (
            "changed",
            True,
            "by hand",
            None,
        )
