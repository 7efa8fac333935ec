"""Rendered configuration on a host: in the release and outside, checked, switched, given back."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.agent.errors import AgentError
from castoff.releaser.agent.layout import Layout
from castoff.releaser.agent.outside import installed, look
from castoff.releaser.agent.rendered import read_set
from castoff.releaser.agent.salt import private_name
from castoff.releaser.bundle import built_ins
from support.agent_client import AgentClient, AgentFailure, AgentGone, agent, open_request
from support.archives import make_artifact
from support.killed_agent import deadly_bundle

File = dict[str, Any]


def file(path: str | Path, text: str, **changes: Any) -> File:
    return {"path": str(path), "text": text, "mode": "0640", "shown": text, **changes}


def check(kind: str, argument: str | None = None) -> dict[str, Any]:
    return {"kind": kind, "argument": argument, "timeout": 20}


def configure(client: AgentClient, version: str, *files: File) -> dict[str, Any]:
    """Prepare a version and its configuration; return what the agent says of that."""
    artifact = make_artifact(version, {"app/version": version.encode()})
    inside = [one["path"] for one in files if not one["path"].startswith("/")]
    client.ask("prepare", archive=artifact.archive, **artifact.request(configured=inside))
    client.ask("load", modules=built_ins())
    return client.ask(
        "built_in",
        what="configure",
        version=version,
        name="configure",
        options={"files": list(files)},
        env={"CASTOFF_VERSION": version},
        timeout=30,
    )


def good(client: AgentClient, version: str, *files: File, release: str = "r") -> dict[str, Any]:
    """Release a version with its configuration; return the answer to its flip."""
    config = configure(client, version, *files)["config"]
    flipped = client.ask("activate", version=version, release=release, config=config)
    client.ask("confirm", version=version, release=release)
    return flipped


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    folder.mkdir()
    return folder


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


def test_a_command_of_ones_own_judges_a_file_by_its_name_and_content(root: Path, etc: Path) -> None:
    own = check("command", 'echo "$CASTOFF_VERSION: {file}"; grep -q root {file}')
    with agent(root) as client:
        configure(client, "1.0", file(etc / "cron job", "* * root x\n", check=own))
        assert client.output == f"1.0: '{etc}/cron job'\n"
        with pytest.raises(AgentFailure, match=r"the check of .*cron job failed") as caught:
            configure(client, "1.0", file(etc / "cron job", "* * x\n", check=own))
        assert caught.value.code == "step-failed"
        slow = {**check("command", "sleep 60"), "timeout": 0.3}
        with pytest.raises(AgentFailure, match=r"did not end within 0\.3 s") as caught:
            configure(client, "1.0", file(etc / "cron job", "", check=slow))
        assert caught.value.code == "step-timeout"
    assert list(etc.iterdir()) == []
    assert not (root / ".castoff/staging/check").exists()


SERVER = "server {{ listen 127.0.0.1:{port}; root {root}; {more} }}\n"


@pytest.mark.skipif(shutil.which("nginx") is None, reason="no nginx on this machine")
def test_nginx_judges_a_site_in_the_place_that_it_is_to_have(root: Path, etc: Path) -> None:
    sites = etc / "sites"
    sites.mkdir()
    (etc / "shared.conf").write_text("# include nothing; 'a lone quote\nadd_header X-Shared 1;\n")
    main = etc / "nginx.conf"
    main.write_text(
        f"pid {etc}/pid; error_log {etc}/error.log;\nevents {{ }}\n"
        'http { include "sites/*.conf"; }\n'
    )
    (sites / "other.conf").write_text(SERVER.format(port=1025, root="/srv", more=""))
    judged = check("nginx", str(main))
    path = sites / "shop.conf"

    def site(more: str, **changes: Any) -> File:
        text = SERVER.format(port=1026, root=f"{root}/current/app", more=more)
        return file(path, text, check=judged, **changes)

    before = {p.name for p in etc.iterdir()}
    with agent(root) as client:
        good(client, "1.0", site("include shared.conf;"))
        with pytest.raises(AgentFailure, match=r'unknown directive "nonsense" in .*shop\.conf:1'):
            configure(client, "2.0", site("nonsense;"))
        # The one that is there is not read beside the one that is to replace it.
        twice = "upstream shop { server 127.0.0.1:1; }\n"
        upstream = file(path, twice, check=judged)
        good(client, "2.0", upstream)
        good(client, "3.0", file(path, twice + "# changed\n", check=judged))
        # A file that goes away is not missed, and one that needs it is found out.
        other = file(sites / "more.conf", "upstream more { server 127.0.0.1:1; }", check=judged)
        good(client, "4.0", other, site("location / { proxy_pass http://more; }"))
        with pytest.raises(AgentFailure, match='host not found in upstream "more"'):
            configure(client, "5.0", site("location / { proxy_pass http://more; }"))
        # A part of our own that is included by another part.
        part = file(etc / "part.inc", "add_header X-Part 1;")
        good(client, "6.0", site("include part.inc;"), part)
        bad = file(etc / "part.inc", "broken")
        with pytest.raises(AgentFailure, match=r"part\.inc"):
            configure(client, "7.0", site("include part.inc;"), bad)
        # What nothing includes would never be read.
        lost = file(etc / "lost.conf", "", check=judged)
        with pytest.raises(AgentFailure, match=r"is not among what .* includes"):
            configure(client, "7.0", lost)
    assert before <= {p.name for p in etc.iterdir()} <= before | {"error.log", "part.inc"}


@pytest.mark.skipif(shutil.which("nginx") is None, reason="no nginx on this machine")
@pytest.mark.parametrize("where", ["main", "module", "nowhere"])
def test_a_check_by_nginx_makes_no_pid_file(root: Path, etc: Path, where: str) -> None:
    usual = Path("/run/nginx.pid")
    was_there = usual.exists()
    names = f"pid {etc}/pid;\n"
    (etc / "module.conf").write_text(names if where == "module" else "# pid /no;\n")
    main = etc / "nginx.conf"
    main.write_text(
        f"{names if where == 'main' else ''}include module.conf; error_log {etc}/error.log;\n"
        "events { }\nhttp { include site.conf; }\n"
    )
    text = SERVER.format(port=1027, root="/srv", more="")
    with agent(root) as client:
        good(client, "1.0", file(etc / "site.conf", text, check=check("nginx", str(main))))
    assert not (etc / "pid").exists()
    assert usual.exists() == was_there


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd on this machine")
def test_systemd_judges_units_that_are_not_there_yet(root: Path, etc: Path) -> None:
    judged = check("systemd")
    folder = etc / "system"
    folder.mkdir()

    def unit(more: str = "", program: str = f"{root}/current/bin/shop") -> File:
        text = f"[Unit]\nDescription=Shop\n[Service]\nExecStart={program}\n{more}"
        return file(folder / "castoff-shop.service", text, check=judged)

    override = file(folder / "castoff-shop.service.d/x.conf", "[Service]\nNice=5\n", check=judged)
    with agent(root) as client:
        # `current` is not there yet: the unit is meant for the release that is about to be.
        with pytest.raises(AgentFailure, match=r"/releases/1\.0/bin/shop is not executable"):
            configure(client, "1.0", unit())
        configure(client, "1.0", unit(program="/bin/true"), override)
        with pytest.raises(AgentFailure, match=r"castoff-shop.service:5: Unknown key.*Nise"):
            configure(client, "1.0", unit("Nise=5\n", "/bin/true"))
        wrong = {**override, "text": "[Service]\nNise=5\n"}
        with pytest.raises(AgentFailure, match=r"service.d/x.conf:2: Unknown key"):
            configure(client, "1.0", unit(program="/bin/true"), wrong)
    assert list(folder.iterdir()) == []


def test_a_set_that_its_check_refuses_is_not_left_in_use(root: Path) -> None:
    judged = check("command", 'grep -q good {file} && grep -q good "$CASTOFF_RELEASE/settings"')
    with agent(root) as client:
        good(client, "1.0", file("settings", "good 1", check=judged))
        good(client, "2.0", file("settings", "good 2", check=judged))
        with pytest.raises(AgentFailure, match="the check of settings failed"):
            configure(client, "1.0", file("settings", "bad", check=judged))
        assert (root / "releases/1.0/settings").read_text() == "good 1"
        with pytest.raises(AgentFailure, match="the check of settings failed"):
            configure(client, "3.0", file("settings", "bad", check=judged))
        assert not (root / "releases/3.0/settings").exists()
        good(client, "3.0", file("settings", "good 3", check=judged))
        assert (root / "current/settings").read_text() == "good 3"


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
