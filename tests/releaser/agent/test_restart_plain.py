"""Restarts by a command or a touched file, of processes that are told by what they are."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.agent_client import AgentFailure
from support.ports import free_ports
from support.released import Released, answer, asking, released
from support.traps import wait_until


@pytest.fixture
def app(root: Path) -> Iterator[Released]:
    with released(root) as app:
        yield app


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
    with subprocess.Popen(["sleep", "600"], cwd="/") as stranger:
        (app.root / "shared" / "x.pid").write_text(str(stranger.pid))
        with pytest.raises(AgentFailure, match=r"nothing shows that .* runs from 1\.0") as caught:
            app.restart("1.0", command="true", pid_file="shared/x.pid", timeout=0.5)
        stranger.kill()
    assert str(app.current) in caught.value.hint


def test_a_command_that_fails_hangs_or_starts_nothing_is_a_failure(app: Released) -> None:
    with pytest.raises(AgentFailure, match="its command failed with exit status 4"):
        app.restart("1.0", command="exit 4")
    with pytest.raises(AgentFailure) as caught:
        app.restart("1.0", command="sleep 60", timeout=0.5)
    assert caught.value.code == "step-timeout"
    with pytest.raises(AgentFailure, match="does not run"):
        app.restart("1.0", command="true", timeout=0.5)


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
    done = app.restart("1.0", command=command, match="bin/serve", user="nobody", answers=wanted)
    (process,) = done["processes"]
    assert Path(f"/proc/{process}").stat().st_uid != os.geteuid()
    wait_until(lambda: answer(port) == "1.0", "it does not answer")
