"""Restarts by a command or a touched file, of processes that are told by what they are."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.agent_client import AgentFailure
from support.ports import free_ports
from support.released import Released, again, answer, asking, released, restart_options
from support.traps import wait_until


@contextlib.contextmanager
def killed(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Kill a process at the end, however the test ends."""
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def app(root: Path) -> Iterator[Released]:
    with released(root) as app:
        yield app


def in_vain(app: Released, says: str, *, within: float, **options: Any) -> AgentFailure:
    """See that a restart into 1.0 waits in vain, and why.

    On a busy machine the first limit may be over before its command has ended or before a process
    has come and gone, which says nothing of the wait; then there is a longer one.
    """
    for limit in (within, 5.0, 30.0):
        with pytest.raises(AgentFailure) as caught:
            app.restart("1.0", timeout=limit, **options)
        if re.search(says, caught.value.message):
            break
    caught.match(says)
    return caught.value


def test_every_process_of_the_app_counts_where_none_is_named(app: Released) -> None:
    one, two = free_ports(2)
    with app.serve("1.0", one) as left, app.serve("2.0", two) as right:
        app.flip("2.0")
        with pytest.raises(AgentFailure, match=rf"process {left.pid} .* still runs from 1\.0"):
            app.restart("2.0", command="true", grace=0.2)
        # By a part of their command lines only some are meant.
        done = app.restart("2.0", command="true", match=f"serve {two}")
        assert done["processes"] == [right.pid]
        left.kill()
        assert app.restart("2.0", touch="shared/restart.txt")["processes"] == [right.pid]
        right.kill()


def test_a_touched_file_has_another_second_each_time(app: Released) -> None:
    file = app.root / "shared" / "restart.txt"
    with app.serve("1.0", free_ports(1)[0]) as server:
        seconds = []
        for _ in range(3):
            app.restart("1.0", touch="shared/restart.txt", settle=0)
            seconds.append(int(file.stat().st_mtime))
        server.kill()
    assert len(set(seconds)) == 3


def test_what_shows_no_release_is_no_proof(app: Released) -> None:
    with killed(subprocess.Popen(["sleep", "600"], cwd="/")) as stranger:
        (app.root / "shared" / "x.pid").write_text(str(stranger.pid))
        way = {"command": "true", "pid_file": "shared/x.pid"}
        failed = in_vain(app, r"nothing shows that .* runs from 1\.0", within=0.5, **way)
    assert str(app.current) in failed.hint


def test_what_a_server_only_inherits_from_the_command_is_no_proof(app: Released) -> None:
    start = "{}sleep 600 >/dev/null 2>&1 & echo $! >$CASTOFF_SHARED/x.pid"
    way = {"command": start.format(""), "pid_file": "shared/x.pid"}
    in_vain(app, r"nothing shows that .* runs from 1\.0", within=0.6, **way)
    # What it does itself counts: it goes to a folder of the release.
    app.restart("1.0", command=start.format("cd app; "), pid_file="shared/x.pid")


def test_what_ran_from_the_release_before_is_told_to_prove_nothing_new(app: Released) -> None:
    (port,) = free_ports(1)
    with killed(app.serve("1.0", port)) as server:
        app.restart("1.0", command="true", match=f"serve {port}")
        assert "ran from 1.0 before, too" in app.client.output
        app.flip("2.0")
        anew = f"kill {server.pid}; exec setsid bin/serve {port} >/dev/null 2>&1 &"
        app.restart("2.0", command=anew, match=f"serve {port}")
        assert app.client.output == ""


def test_a_service_that_keeps_forking_settles_while_it_answers_or_after_its_grace(
    app: Released,
) -> None:
    (port,) = free_ports(1)
    # Some are always there, however busy the machine is, and none for as long as it may take.
    argv = ["sh", "-c", "while :; do sleep 0.6 & sleep 0.1; done"]
    folder = app.root / "releases" / "1.0"
    with killed(app.serve("1.0", port)), killed(subprocess.Popen(argv, cwd=folder)) as busy:
        (app.root / "shared" / "x.pid").write_text(str(busy.pid))
        way: dict[str, Any] = {"command": "true", "pid_file": "shared/x.pid"}
        app.restart("1.0", **way, answers=asking(port), settle=1)
        assert f"{busy.pid} (sh) stayed, while others came and went" in app.client.output
        app.restart("1.0", **way, grace=0.6)
        assert "`answers`" in in_vain(app, "come and go", within=1.5, **way, settle=60).hint


def test_a_server_that_is_still_starting_its_processes_is_no_news(app: Released) -> None:
    (port,) = free_ports(1)
    more = "import subprocess as s, time\nwhile 1: s.Popen(['sleep', '600']); time.sleep(0.15)"
    folder = app.root / "releases" / "1.0"
    argv = [sys.executable, "-c", more]
    with killed(app.serve("1.0", port)), killed(subprocess.Popen(argv, cwd=folder)) as growing:
        (app.root / "shared" / "x.pid").write_text(str(growing.pid))
        way: dict[str, Any] = {"command": "true", "pid_file": "shared/x.pid"}
        app.restart("1.0", **way, answers=asking(port))
        assert "came and went" not in app.client.output
        in_vain(app, "starts processes still", within=2, **way, settle=60)


def test_a_command_that_fails_hangs_or_starts_nothing_is_a_failure(app: Released) -> None:
    with pytest.raises(AgentFailure, match="its command failed with exit status 4"):
        app.restart("1.0", command="exit 4")
    with pytest.raises(AgentFailure) as caught:
        app.restart("1.0", command="sleep 60", timeout=0.5)
    assert caught.value.code == "step-timeout"
    in_vain(app, "does not run", within=0.5, command="true")


def test_a_command_whose_agent_was_killed_is_run_again(app: Released) -> None:
    (port,) = free_ports(1)
    app.flip("2.0")
    begun = app.root / "shared" / "begun"
    start = f"exec setsid bin/serve {port} >/dev/null 2>&1 &"
    options = restart_options(command=f"touch {begun}; sleep 600; {start}", match=f"serve {port}")
    app.client.post("built_in", **app.request("restart", "2.0", options))
    wait_until(begun.exists, "the command does not run")
    app.client.process.kill()
    app.client.wait()
    with again(app):
        app.restart("2.0", command=start, match=f"serve {port}", answers=asking(port))
    assert answer(port) == "2.0"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user without more")
def test_the_service_of_another_user_is_restarted_as_that_one(app: Released) -> None:
    for folder in (app.root, *app.root.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    (port,) = free_ports(1)
    command = (
        f"(cd /; CASTOFF_PYTHON=/usr/bin/python3 exec {app.current}/bin/serve {port})"
        " >/dev/null 2>&1 &"
    )
    wanted = asking(port, contains="1.0")
    way = {"command": command, "match": "bin/serve", "user": "nobody", "answers": wanted}
    done = app.restart("1.0", **way, timeout=120)
    (process,) = done["processes"]
    assert Path(f"/proc/{process}").stat().st_uid != os.geteuid()
    wait_until(lambda: answer(port) == "1.0", "it does not answer")
