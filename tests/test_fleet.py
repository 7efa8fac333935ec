"""The servers that other tests release to are what those tests take them for."""

from __future__ import annotations

import functools
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.fleet import Fleet, FleetHost
from support.fleet_fixtures import MakeFleet
from support.fleet_loopback import fleet_on_loopback

pytestmark = pytest.mark.fleet


def test_the_openssh_client_reaches_every_host(fleet: Fleet) -> None:
    answers = [host.ssh("echo $((6 * 7))").stdout for host in fleet.hosts]
    assert answers == ["42\n"] * 4


def test_host_keys_differ(fleet: Fleet) -> None:
    keys = [line.split()[2] for line in fleet.known_hosts.read_text().splitlines()]
    assert len(set(keys)) == len(fleet.hosts)


def test_a_host_with_another_key_is_refused(fleet: Fleet) -> None:
    first, second = fleet.known_hosts.read_text().splitlines()[:2]
    fleet.known_hosts.write_text(f"{first.split()[0]} {' '.join(second.split()[1:])}\n")
    refused = fleet.hosts[0].ssh("true", check=False)
    assert refused.returncode == 255
    assert "HOST IDENTIFICATION HAS CHANGED" in refused.stderr


def test_each_host_has_its_own_root(fleet: Fleet) -> None:
    for host in fleet.hosts:
        host.ssh(f"echo {host.name} >{host.root}/who")
    assert [host.read(f"{host.root}/who") for host in fleet.hosts] == [
        "web1\n",
        "web2\n",
        "web3\n",
        "web4\n",
    ]


def test_hosts_stand_in_a_configuration(fleet: Fleet) -> None:
    text = fleet.toml_hosts("production", extra='roles = ["web"]')
    assert text.count("[[environments.production.hosts]]") == 4
    assert f'address = "{fleet.hosts[3].address}"' in text
    assert text.count('roles = ["web"]') == 4


def test_servers_without_namespaces_work_as_well(tmp_path: Path, fleet_key: Path) -> None:
    with fleet_on_loopback(tmp_path / "fleet", ["web1", "web2"], fleet_key) as fleet:
        for host in fleet.hosts:
            assert host.ssh(f"touch {host.root}/here && echo yes").stdout == "yes\n"
            assert host.path(f"{host.root}/here").exists()


@pytest.fixture
def hosts(fleet: Fleet) -> tuple[FleetHost, ...]:
    if not fleet.isolated:
        pytest.skip("needs namespaces, which need root")
    return fleet.hosts


@pytest.fixture
def server(fleet: Fleet, tmp_path: Path) -> Iterator[str]:
    """Serve half a MiB on the bridge; yield its URL."""
    (tmp_path / "blob").write_bytes(bytes(1 << 19))
    handler = functools.partial(_Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer((fleet.gateway, 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://{fleet.gateway}:{running.server_port}/blob"
        running.shutdown()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_each_host_has_its_own_name_and_processes(hosts: tuple[FleetHost, ...]) -> None:
    assert [host.run("hostname").stdout for host in hosts] == [f"web{n}\n" for n in range(1, 5)]
    assert {host.run("cat /proc/1/comm").stdout for host in hosts} == {"sh\n"}


def test_a_host_that_is_cut_off_is_silent_until_healed(hosts: tuple[FleetHost, ...]) -> None:
    hosts[0].cut()
    assert "Connection timed out" in hosts[0].ssh("true", check=False).stderr
    hosts[0].heal()
    assert hosts[0].ssh("echo back").stdout == "back\n"


def test_a_host_keeps_its_disk_when_power_fails(hosts: tuple[FleetHost, ...]) -> None:
    host = hosts[0]
    host.run("echo kept >/srv/file; sleep 1000 >/dev/null 2>&1 &")
    host.kill()
    assert host.read("/srv/file") == "kept\n"
    host.start()
    assert host.ssh("cat /srv/file").stdout == "kept\n"
    assert "sleep" not in host.run("cat /proc/[0-9]*/comm", check=False).stdout


def test_a_slow_host_receives_through_a_bucket(hosts: tuple[FleetHost, ...], server: str) -> None:
    slow, fast = hosts[:2]
    slow.slow("16mbit")
    fetch = f"curl -sS -o /dev/null -w '%{{speed_download}}' {server}"
    speed = float(slow.run(fetch).stdout)
    bucket = _buckets(slow)[0]
    assert bucket["bytes"] >= 1 << 19
    assert bucket["overlimits"] > 0
    assert speed < 16_000_000 / 8 * 1.1
    assert not _buckets(fast)
    slow.unslow()
    assert not _buckets(slow)


def _buckets(host: FleetHost) -> list[dict[str, int]]:
    cable = getattr(host, "cable")  # noqa: B009 (only hosts in namespaces have one)
    show = ["tc", "-s", "-j", "qdisc", "show", "dev", cable]
    shown = json.loads(subprocess.run(show, check=True, capture_output=True).stdout)
    return [qdisc for qdisc in shown if qdisc["kind"] == "tbf"]


def test_a_disk_is_as_small_as_asked(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(1, disk="1m")
    if not fleet.isolated:
        pytest.skip("needs namespaces, which need root")
    full = fleet.hosts[0].run("head -c 2000000 /dev/zero >/srv/big", check=False)
    assert "No space left on device" in full.stderr


_DIES_SUDDENLY = """
import os, sys
from pathlib import Path
from support.fleet_namespaces import fleet_in_namespaces
folder, key = map(Path, sys.argv[1:])
with fleet_in_namespaces(folder, ["web1"], key, disk="1m") as fleet:
    print(fleet.hosts[0].bridge, fleet.hosts[0].machine.init, flush=True)
    os.kill(os.getpid(), 9)
"""


def test_nothing_is_left_when_the_test_process_is_killed(
    hosts: tuple[FleetHost, ...], fleet_key: Path, tmp_path: Path
) -> None:
    died = subprocess.run(
        [sys.executable, "-c", _DIES_SUDDENLY, str(tmp_path / "fleet"), str(fleet_key)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    assert died.returncode == -9, died.stderr
    bridge, init = died.stdout.split()
    assert bridge != getattr(hosts[0], "bridge")  # noqa: B009 (only hosts in namespaces)
    _wait_until_gone(Path("/sys/class/net") / bridge)
    _wait_until_gone(Path("/proc") / init)


def _wait_until_gone(path: Path) -> None:
    deadline = time.monotonic() + 30
    while path.exists():
        assert time.monotonic() < deadline, f"{path} is still there"
        time.sleep(0.02)
