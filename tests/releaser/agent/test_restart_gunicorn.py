"""A real gunicorn hands over to one of the new release, and goes on if that cannot be."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from castoff.releaser.agent.builtins.process_table import process_table
from support.agent_client import AgentFailure
from support.ports import free_ports
from support.released import (
    Released,
    again,
    answer,
    asking,
    gunicorn_files,
    released,
    restart_options,
)
from support.traps import wait_until


class Served:
    """The app behind gunicorn, which the first restart has started."""

    def __init__(self, app: Released, port: int) -> None:
        self.app = app
        self.port = port
        self.pid_file = app.root / "shared" / "gunicorn.pid"
        self.way = {
            "pid_file": "shared/gunicorn.pid",
            "start": "$CASTOFF_ROOT/current/bin/gunicorn --no-control-socket"
            f" --daemon --workers 2 --pid {self.pid_file}"
            f" --chdir {app.current}/app --bind 127.0.0.1:{port} --log-file {app.root}/log"
            " --graceful-timeout 20 web:app",
        }

    def restart(self, version: str, **options: object) -> None:
        self.app.restart(version, gunicorn=self.way, **options)

    def master(self) -> int:
        return int(self.pid_file.read_text())


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("srv") / "shop"


@pytest.fixture
def served(root: Path) -> Iterator[Served]:
    (port,) = free_ports(1)
    with released(root, gunicorn_files()) as app:
        served = Served(app, port)
        served.restart("1.0", answers=asking(port, contains="1.0"))
        yield served


def test_the_new_release_takes_over_and_no_request_is_lost(served: Served) -> None:
    app, port, first = served.app, served.port, served.master()
    seen: list[str] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            seen.append(answer(port))

    reader = threading.Thread(target=read)
    slow = threading.Thread(target=lambda: seen.append(answer(port, "/slow?1.5")))
    reader.start()
    slow.start()
    try:
        app.flip("2.0")
        served.restart("2.0", answers=asking(port, headers={"X-Version": "2.0"}))
    finally:
        over.set()
        reader.join()
        slow.join()
    assert served.master() != first
    assert first not in process_table()
    assert set(seen) == {"1.0", "2.0"}
    assert {answer(port) for _ in range(8)} == {"2.0"}

    # And back, as a release that fails does.
    app.flip("1.0")
    served.restart("1.0")
    assert {answer(port) for _ in range(8)} == {"1.0"}


def test_a_release_that_cannot_be_loaded_leaves_the_old_one_serving(served: Served) -> None:
    first = served.master()
    broken = {**gunicorn_files(), "app/web.py": b"import time\ntime.sleep(0.5)\nimport nowhere\n"}
    served.app.add("3.0", broken)
    served.app.flip("3.0")
    with pytest.raises(AgentFailure, match="ended before its workers were up; the old one serves"):
        served.restart("3.0")
    assert answer(served.port) == "1.0"
    assert served.master() == first
    served.app.flip("2.0")
    served.restart("2.0")
    assert answer(served.port) == "2.0"


@pytest.mark.sweep
def test_workers_that_never_come_up_cost_the_time_limit(served: Served) -> None:
    first = served.master()
    slow = {**gunicorn_files(), "app/web.py": b"import time\ntime.sleep(600)\n"}
    served.app.add("4.0", slow)
    served.app.flip("4.0")
    with pytest.raises(AgentFailure) as caught:
        served.restart("4.0", timeout=3)
    assert caught.value.code == "step-timeout"
    assert answer(served.port) == "1.0"
    assert served.master() == first


def test_a_hand_over_that_was_killed_half_way_is_finished(served: Served) -> None:
    app, first = served.app, served.master()
    app.flip("2.0")
    app.client.post(
        "built_in", **app.request("restart", "2.0", restart_options(gunicorn=served.way))
    )
    wait_until(Path(f"{served.pid_file}.2").exists, "no hand-over has begun")
    app.client.process.kill()
    app.client.wait()
    with again(app):
        served.restart("2.0")
    assert first not in process_table()
    assert {answer(served.port) for _ in range(8)} == {"2.0"}


@pytest.mark.sweep
def test_a_hand_over_to_yet_another_release_is_taken_back_first(served: Served) -> None:
    served.app.flip("2.0")
    os.kill(served.master(), signal.SIGUSR2)
    wait_until(Path(f"{served.pid_file}.2").exists, "no hand-over has begun")
    served.app.flip("1.0")
    served.restart("1.0")
    assert {answer(served.port) for _ in range(8)} == {"1.0"}


@pytest.mark.sweep
def test_a_request_that_outlasts_the_grace_is_named(served: Served) -> None:
    slow = threading.Thread(target=answer, args=(served.port, "/slow?6"))
    slow.start()
    time.sleep(0.3)
    served.app.flip("2.0")
    with pytest.raises(AgentFailure, match=r"process \d+ \(.*\) of gunicorn still runs from 1\.0"):
        served.restart("2.0", grace=0.2, timeout=4)
    slow.join()


@pytest.mark.sweep
def test_a_pid_file_of_something_else_is_refused(served: Served) -> None:
    os.kill(served.master(), signal.SIGTERM)
    wait_until(lambda: not served.pid_file.exists(), "gunicorn does not end")
    with subprocess.Popen(["sleep", "600"]) as other:
        served.pid_file.write_text(f"{other.pid}\n")
        with pytest.raises(AgentFailure, match="which is no gunicorn of this app"):
            served.restart("1.0")
        assert other.poll() is None
        other.kill()
    # One that is left of a machine that went off names nobody: it is started.
    served.pid_file.write_text("4194303\n")
    served.restart("1.0", answers=asking(served.port))


def test_reloading_by_hup_is_no_restart(served: Served) -> None:
    served.app.flip("2.0")
    command = f"kill -HUP {served.master()}"
    with pytest.raises(AgentFailure, match=r"still runs from 1\.0, not 2\.0"):
        served.app.restart("2.0", command=command, pid_file="shared/gunicorn.pid", grace=1.5)
