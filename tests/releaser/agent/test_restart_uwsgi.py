"""A real uWSGI reloads itself into the new release, in each of its ways."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.agent_client import AgentFailure
from support.ports import free_ports
from support.released import Released, again, answer, asking, released, restart_options
from support.traps import wait_until
from support.uwsgi import write_uwsgi

PID_FILE = "shared/uwsgi.pid"
WAYS = [
    {"fifo": "shared/uwsgi.fifo"},
    pytest.param({}, marks=pytest.mark.sweep),
    pytest.param({"touch": "shared/reload"}, marks=pytest.mark.sweep),
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("srv") / "shop"


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def app(root: Path, port: int) -> Iterator[Released]:
    with released(root) as app:
        start = write_uwsgi(app, port)
        way = {"pid_file": PID_FILE, "start": start}
        app.restart("1.0", uwsgi=way, answers=asking(port, contains="1.0"))
        yield app


@pytest.mark.parametrize("way", WAYS)
def test_it_reloads_into_the_release_that_is_current(
    way: dict[str, str], app: Released, port: int
) -> None:
    master = (app.root / PID_FILE).read_text()
    slow: list[str] = []
    reader = threading.Thread(target=lambda: slow.append(answer(port, "/slow?1")))
    reader.start()
    app.flip("2.0")
    app.restart("2.0", uwsgi={"pid_file": PID_FILE, **way}, answers=asking(port, contains="2.0"))
    reader.join()
    assert slow in (["1.0"], ["2.0"])
    assert (app.root / PID_FILE).read_text() == master
    assert {answer(port) for _ in range(6)} == {"2.0"}


def test_a_configuration_that_was_resolved_before_is_found_out(app: Released) -> None:
    ini = app.root / "shared" / "uwsgi.ini"
    bound = f"release = {app.root}/releases/1.0"
    ini.write_text(ini.read_text().replace(f"release = @(exec://readlink -f {app.current})", bound))
    app.flip("2.0")
    with pytest.raises(AgentFailure, match=r"of uWSGI still runs from 1\.0, not 2\.0"):
        app.restart("2.0", uwsgi={"pid_file": PID_FILE}, grace=1)


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("version", "code"), [("3.0", b"import nowhere\n"), ("4.0", b"import time; time.sleep(600)\n")]
)
def test_a_release_that_cannot_be_loaded_or_hangs_fails_and_the_way_back_mends_it(
    version: str, code: bytes, app: Released, port: int
) -> None:
    start = f"uwsgi --ini {app.root}/shared/uwsgi.ini"
    app.add(version, {"app/web.py": code})
    app.flip(version)
    with pytest.raises(AgentFailure, match=r"uWSGI does not run|does not answer|still runs"):
        app.restart(version, uwsgi={"pid_file": PID_FILE}, answers=asking(port), timeout=6)
    app.flip("1.0")
    way = {"pid_file": PID_FILE, "start": start}
    app.restart("1.0", uwsgi=way, answers=asking(port, contains="1.0"))


@pytest.mark.sweep
def test_a_fifo_that_nobody_reads_is_named(app: Released) -> None:
    fifo = app.root / "shared" / "nobody.fifo"
    with pytest.raises(AgentFailure, match=r"uWSGI does not read .*nobody\.fifo"):
        app.restart("1.0", uwsgi={"pid_file": PID_FILE, "fifo": str(fifo)})


def test_a_reload_that_was_killed_half_way_is_done_again(app: Released, port: int) -> None:
    app.flip("2.0")
    options = restart_options(uwsgi={"pid_file": PID_FILE})
    app.client.post("built_in", **app.request("restart", "2.0", options))
    app.client.process.kill()
    app.client.wait()
    with again(app):
        app.restart("2.0", uwsgi={"pid_file": PID_FILE}, answers=asking(port, contains="2.0"))


def test_a_pid_file_of_something_else_is_refused(app: Released) -> None:
    pid_file = app.root / PID_FILE
    master = int(pid_file.read_text())
    os.kill(master, signal.SIGTERM)
    wait_until(lambda: not Path(f"/proc/{master}").exists(), "uWSGI does not end")
    # As words it has the name of the program, which it is not.
    with subprocess.Popen(["tail", "-f", "/dev/null", "--", "/dev/uwsgi"]) as other:
        pid_file.write_text(f"{other.pid}\n")
        with pytest.raises(AgentFailure, match=rf"process {other.pid}, which is no uwsgi of this"):
            app.restart("1.0", uwsgi={"pid_file": PID_FILE})
        assert other.poll() is None
        other.kill()


@pytest.mark.sweep
def test_one_that_does_not_run_needs_to_be_told_how_to_start(app: Released) -> None:
    (app.root / PID_FILE).unlink()
    with pytest.raises(AgentFailure, match="uWSGI does not run"):
        app.restart("1.0", uwsgi={"pid_file": PID_FILE})
