"""Whom a step is for, at which moments, as whom, and what its failure means."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.errors import RolledBack
from castoff.releaser.job import Scope
from castoff.releaser.release import resolve, run
from castoff.releaser.timeline import Timeline
from support.engine import RESTART, Ears, check, go, live
from support.local_scope import make_scope


def at(moment: str, **more: Any) -> dict[str, Any]:
    """Return a step that notes its moment, its host and the release that it ran in."""
    said = '"$CASTOFF_ROOT/../../said"'
    note = f'echo "{moment} $CASTOFF_HOST $(basename "$PWD")" >> {said}'
    return {"name": moment.replace("_", "-"), "moment": moment, "command": note, **more}


def said(folder: Path) -> list[str]:
    file = folder / "said"
    return sorted(file.read_text().splitlines()) if file.exists() else []


def scope_of(folder: Path, *steps: dict[str, Any], hosts: int = 2) -> Scope:
    return replace(make_scope(folder, [RESTART, *steps], hosts=hosts), base=folder)


def test_before_prepare_runs_in_what_is_served_and_not_where_nothing_is(tmp_path: Path) -> None:
    scope = scope_of(tmp_path, at("before_prepare"))
    go(scope, "release", "1")
    assert said(tmp_path) == []
    go(scope, "release", "2")
    assert said(tmp_path) == ["before_prepare web1 1", "before_prepare web2 1"]


def test_on_rollback_runs_in_what_a_host_went_back_to(tmp_path: Path) -> None:
    fails = check('test "$CASTOFF_HOST$CASTOFF_VERSION" != web22')
    scope = scope_of(tmp_path, at("on_rollback"), fails)
    go(scope, "release", "1")
    with pytest.raises(RolledBack):
        go(scope, "release", "2")
    assert said(tmp_path) == ["on_rollback web1 1", "on_rollback web2 1"]
    (tmp_path / "said").unlink()
    go(scope, "release", "3")
    assert said(tmp_path) == []
    go(scope, "rollback", "1")
    assert said(tmp_path) == ["on_rollback web1 1", "on_rollback web2 1"]


def test_on_failure_runs_once_all_is_back_and_its_own_failure_changes_nothing(
    tmp_path: Path,
) -> None:
    fails = check("test $CASTOFF_VERSION != 2")
    broken = [
        at("on_failure") | {"name": f"broken-{where}", "command": "exit 7", "run_on": where}
        for where in ("controller", "host")
    ]
    scope = scope_of(tmp_path, *broken, at("on_failure"), fails)
    go(scope, "release", "1")
    assert said(tmp_path) == []
    ears = Ears()
    with pytest.raises(RolledBack, match="every host is back"):
        run(resolve(scope, "release", "2"), Timeline(ears))
    assert said(tmp_path) == ["on_failure web1 1", "on_failure web2 1"]
    assert live(scope) == ["1", "1"]
    told = [note for note in ears.notes if "moment on_failure" in note]
    for host in ("web1", "web2"):
        assert sum(note.startswith(host) for note in told) == 2


def test_a_step_is_for_the_hosts_that_its_globs_name(tmp_path: Path) -> None:
    go(scope_of(tmp_path, at("prepare", hosts=("*2", "x*")), hosts=3), "release", "1")
    assert said(tmp_path) == ["prepare web2 1"]


def test_a_step_that_runs_once_runs_on_its_leader(tmp_path: Path) -> None:
    step = at("after_activate", once=True, hosts=("web[23]",))
    go(scope_of(tmp_path, step, hosts=3), "release", "1")
    assert said(tmp_path) == ["after_activate web2 1"]


@pytest.mark.parametrize("strategy", ["all", "rolling"])
def test_what_runs_once_at_the_end_waits_until_all_have_activated(
    tmp_path: Path, strategy: str
) -> None:
    slow = at("activate")
    slow["command"] = f"test $CASTOFF_HOST = web1 || sleep 0.3; {slow['command']}"
    once = at("after_activate", once=True, hosts=("web[12]",))
    fails = check('test "$CASTOFF_HOST$CASTOFF_VERSION" != web32')
    scope = make_scope(tmp_path, [once, slow, fails], hosts=3, strategy={"kind": strategy})

    def order() -> list[str]:
        lines = (tmp_path / "said").read_text().splitlines()
        (tmp_path / "said").unlink()
        return [*sorted(lines[:-1]), lines[-1]]

    go(scope, "release", "1")
    activated = [f"activate {host} 1" for host in ("web1", "web2", "web3")]
    assert order() == [*activated, "after_activate web1 1"]
    with pytest.raises(RolledBack):
        go(scope, "release", "2")
    # It ran in none but what all went back to, and after all had.
    tried = [f"activate {host} 2" for host in ("web1", "web2", "web3")]
    assert order() == [*sorted([*activated, *tried]), "after_activate web1 1"]


def test_what_runs_once_at_the_end_brings_all_back_if_it_fails(tmp_path: Path) -> None:
    fails = check("test $CASTOFF_VERSION != 2") | {"once": True}
    scope = scope_of(tmp_path, fails, at("activate"))
    go(scope, "release", "1")
    with pytest.raises(RolledBack, match="failed after the barrier"):
        go(scope, "release", "2")
    assert live(scope) == ["1", "1"]
    assert said(tmp_path) == sorted(
        f"activate {host} {version}" for host in ("web1", "web2") for version in "112"
    )


def test_a_failure_may_be_a_warning_alone(tmp_path: Path) -> None:
    scope = scope_of(tmp_path, check("exit 3") | {"on_failure": "warn"}, at("after_activate"))
    timeline = go(scope, "release", "1")
    assert live(scope) == ["1", "1"]
    assert len(said(tmp_path)) == 2
    assert [span.ok for span in timeline.spans if span.step == "check"] == [False, False]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else without sudo")
def test_a_command_becomes_another_user(tmp_path: Path) -> None:
    out = tmp_path / "who"
    out.touch()
    out.chmod(0o666)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o011)
    step = at("prepare") | {"command": f'echo "$(id -un) $USER $HOME $A" > {out}'}
    go(scope_of(tmp_path, step | {"user": "nobody", "env": {"A": "b"}}, hosts=1), "release", "1")
    assert out.read_text() == "nobody nobody /nonexistent b\n"


def test_a_user_that_is_not_there_is_named(tmp_path: Path) -> None:
    scope = scope_of(tmp_path, at("prepare", user="no-such-user"))
    with pytest.raises(Exception, match=r"there is no user 'no-such-user'|sudo"):
        go(scope, "release", "1")


@contextmanager
def listener(greeting: bytes) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    peer.sendall(greeting)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def tcp(**options: Any) -> dict[str, Any]:
    return {"name": "port", "moment": "after_activate", "timeout": 0.6, "tcp": options}


def test_a_port_is_healthy_that_says_what_it_should(tmp_path: Path) -> None:
    with listener(b"220 mail of 1\r\n") as port:
        # Time enough to be found healthy on the way back, however busy the machine is.
        step = tcp(port="{P}", banner="of {version}", successes=2, interval=0.05) | {"timeout": 3}
        go(scope_of(tmp_path, step | {"env": {"P": str(port)}}), "release", "1")
        with pytest.raises(RolledBack, match="which lacks 'of 2'"):
            go(scope_of(tmp_path, step | {"env": {"P": str(port)}}), "release", "2")


def test_a_port_where_nobody_listens_is_not(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(RolledBack, match=rf"127\.0\.0\.1:{port} was not healthy.*refused"):
        go(scope_of(tmp_path, tcp(port=port)), "release", "1")
