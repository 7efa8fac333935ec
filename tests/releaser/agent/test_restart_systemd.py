"""Restarts of units of a real systemd, judged by which release then runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.agent_client import AgentFailure
from support.ports import free_ports
from support.released import Released, again, answer, asking, released, restart_options
from support.systemd_user import Systemd, systemd_user
from support.traps import wait_until


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("srv") / "shop"


@pytest.fixture(scope="module")
def systemd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systemd]:
    with systemd_user(tmp_path_factory.mktemp("systemd")) as manager:
        yield manager


@pytest.fixture
def app(root: Path, systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> Iterator[Released]:
    for name, value in systemd.env.items():
        monkeypatch.setenv(name, value)
    with released(root) as app:
        yield app
    systemd.ctl("stop", "--all", "*.service", "*.socket")


def unit(action: str = "restart", name: str = "shop") -> dict[str, object]:
    return {"unit": name, "action": action, "user_manager": True}


def service(app: Released, port: int, *lines: str) -> str:
    return "\n".join(
        [
            "[Service]",
            f"ExecStart={app.current}/bin/serve {port}",
            f"WorkingDirectory={app.current}",
            *lines,
            "",
        ]
    )


def test_a_unit_is_restarted_into_the_release_that_is_current(
    app: Released, systemd: Systemd
) -> None:
    (port,) = free_ports(1)
    systemd.write("shop.service", service(app, port))
    # Not running, and not known to systemd so far: both is mended.
    app.restart("1.0", systemd=unit(), answers=asking(port, contains="1.0"))
    first = systemd.main("shop")
    app.flip("2.0")
    done = app.restart("2.0", systemd=unit(), answers=asking(port, headers={"X-Version": "2.0"}))
    assert systemd.main("shop") in done["processes"]
    assert systemd.main("shop") != first
    assert answer(port) == "2.0"


def test_a_unit_that_changed_on_disk_is_read_again(app: Released, systemd: Systemd) -> None:
    old, new = free_ports(2)
    systemd.write("shop.service", service(app, old))
    app.restart("1.0", systemd=unit())
    systemd.write("shop.service", service(app, new))
    app.restart("1.0", systemd=unit(), answers=asking(new))
    assert answer(new) == "1.0"


def test_a_command_that_exits_well_is_no_restart(app: Released, systemd: Systemd) -> None:
    (port,) = free_ports(1)
    systemd.write("shop.service", service(app, port, "ExecReload=/bin/true"))
    app.restart("1.0", systemd=unit())
    app.flip("2.0")
    with pytest.raises(AgentFailure) as caught:
        app.restart("2.0", systemd=unit("reload"), grace=0.3)
    assert caught.value.code == "step-failed"
    assert f"process {systemd.main('shop')} (python" in caught.value.message
    assert "of unit shop.service still runs from 1.0, not 2.0" in caught.value.message
    # It runs again, in another way, and then it is right.
    app.restart("2.0", systemd=unit("reload-or-restart", "other") | unit())
    assert answer(port) == "2.0"


def test_a_unit_bound_to_a_resolved_path_is_found_out(app: Released, systemd: Systemd) -> None:
    (port,) = free_ports(1)
    text = service(app, port).replace(str(app.current), str(app.root / "releases" / "1.0"))
    systemd.write("shop.service", text)
    app.restart("1.0", systemd=unit())
    app.flip("2.0")
    with pytest.raises(AgentFailure, match=r"still runs from 1\.0") as caught:
        app.restart("2.0", systemd=unit(), grace=0.3)
    assert str(app.current) in caught.value.hint


def test_a_service_that_does_not_come_up_is_told_with_its_state(
    app: Released, systemd: Systemd
) -> None:
    systemd.write("shop.service", "[Service]\nExecStart=/bin/sh -c 'sleep 0.1; exit 7'\n")
    with pytest.raises(AgentFailure, match=r"unit shop\.service does not come up: it is failed"):
        app.restart("1.0", systemd=unit())
    assert "exited, status=7" in app.client.output
    with pytest.raises(AgentFailure, match=r"unit nothing\.service is not-found"):
        app.restart("1.0", systemd=unit(name="nothing"))


def test_a_service_that_runs_and_does_not_answer_is_unhealthy(
    app: Released, systemd: Systemd
) -> None:
    port, other = free_ports(2)
    systemd.write("shop.service", service(app, port))
    with pytest.raises(AgentFailure, match="does not answer: Connection refused") as caught:
        app.restart("1.0", systemd=unit(), answers=asking(other), timeout=2)
    assert caught.value.code == "unhealthy"


def test_a_service_that_hangs_when_it_starts_costs_the_time_limit(
    app: Released, systemd: Systemd
) -> None:
    systemd.write("shop.service", "[Service]\nType=notify\nExecStart=/bin/sleep 60\n")
    with pytest.raises(AgentFailure) as caught:
        app.restart("1.0", systemd=unit(), timeout=1)
    assert caught.value.code == "step-timeout"
    (port,) = free_ports(1)
    systemd.write("shop.service", service(app, port))
    app.restart("1.0", systemd=unit(), answers=asking(port))


def test_a_socket_keeps_listening_while_its_service_is_restarted(
    app: Released, systemd: Systemd
) -> None:
    (port,) = free_ports(1)
    systemd.write("shop.service", service(app, port, "NonBlocking=false"))
    with pytest.raises(AgentFailure, match="is not activated by a socket"):
        app.restart("1.0", systemd=unit("socket"))
    systemd.write("shop.socket", f"[Socket]\nListenStream=127.0.0.1:{port}\n")
    systemd.ctl("daemon-reload")
    app.restart("1.0", systemd=unit("socket"), answers=asking(port))
    app.flip("2.0")
    refused: list[str] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            if answer(port) not in ("1.0", "2.0"):
                refused.append("refused")

    reader = threading.Thread(target=ask)
    reader.start()
    try:
        app.restart("2.0", systemd=unit("socket"), answers=asking(port, contains="2.0"))
    finally:
        over.set()
        reader.join()
    # A request that is being answered when the service ends may be lost; none is turned away.
    assert len(refused) <= 1


def test_a_restart_that_was_killed_half_way_is_done_again(app: Released, systemd: Systemd) -> None:
    (port,) = free_ports(1)
    slow = service(app, port, "ExecStartPre=/bin/sleep 0.5")
    systemd.write("shop.service", slow)
    app.restart("1.0", systemd=unit())
    app.flip("2.0")
    app.client.post("built_in", **app.request("restart", "2.0", restart_options(systemd=unit())))
    wait_until(lambda: systemd.main("shop") == 0, "the unit is not being restarted")
    app.client.process.kill()
    app.client.wait()
    with again(app):
        app.restart("2.0", systemd=unit(), answers=asking(port, contains="2.0"))
