"""A bare Debian from debootstrap, provisioned twice, released to, and serving."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from castoff.store.errors import ExitCode
from support import debian_root
from support.bare_hosts import bare_hosts
from support.http_proxy import http_proxy
from support.provisioning import CASTOFF, Provisioning, need_namespaces
from support.tiny_artifact import write_artifact

pytestmark = [pytest.mark.fleet, pytest.mark.sweep, pytest.mark.timeout(1500)]

SERVER = b"""\
import http.server, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"shop as {os.getuid()}".encode())

http.server.HTTPServer(("127.0.0.1", 8123), Handler).serve_forever()
"""
STEPS = """
[[environments.test.steps]]
name = "restart"
moment = "activate"
command = '''
setsid setpriv --reuid shop --regid shop --clear-groups python3 app/main.py \
  >/dev/null 2>&1 </dev/null &
'''

[[environments.test.steps]]
name = "health"
moment = "after_activate"
http = { url = "http://127.0.0.1:8123/", contains = "shop" }
retries = 5
"""


@pytest.fixture
def debian(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, fleet_key: Path
) -> Iterator[Provisioning]:
    """One host over a fresh Debian, whose apt reaches the mirror by way of this machine."""
    need_namespaces()
    if reason := debian_root.missing():
        pytest.skip(f"no bare Debian: {reason}")
    folder, lower = tmp_path_factory.mktemp("debian"), debian_root.debian_root()
    with (
        bare_hosts(folder, ["web1"], fleet_key, lower=lower, disk="2g") as fleet,
        http_proxy(fleet.gateway) as proxy,
    ):
        root = fleet.hosts[0].path("/")
        (root / "etc/apt/apt.conf.d/90test").write_text(
            f'Acquire::http::Proxy "{proxy}";\nAcquire::Check-Valid-Until "false";\n'
        )
        yield Provisioning(tmp_path, fleet)


@pytest.mark.parametrize("firewall", ["nftables", "ufw"])
def test_from_a_bare_debian_to_serving_twice(debian: Provisioning, firewall: str) -> None:
    host = debian.fleet.hosts[0]
    assert host.run("command -v nginx", check=False).returncode != 0
    debian.write(
        f"""
packages = ["tree"]
user = {{}}
nginx = {{ upstream = "127.0.0.1:8123" }}
units = [{{ name = "shop", command = "bin/shop" }}]
sudo = {{ user = "deploy", restart = true }}
firewall = {{ kind = "{firewall}" }}
{STEPS}
"""
    )

    assert debian.run("--check").returncode == ExitCode.DIFFERS
    made = debian.run()
    assert made.returncode == 0, made.stdout + made.stderr
    looked = debian.run("--check")
    assert looked.returncode == 0, looked.stdout + looked.stderr
    again = debian.run()
    assert again.returncode == 0
    assert " 0 changed," in again.stdout, again.stdout

    write_artifact(debian.folder / "artifacts", "1.0", SERVER)
    for words in (("push", "1.0"), ("release", "1.0", "--env", "test")):
        done = subprocess.run(
            [CASTOFF, *words],
            cwd=debian.folder,
            env=debian.environment(),
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    fetch = ["curl", "-sS", "--fail", "--max-time", "9", f"http://{host.address}/"]
    page = subprocess.run(fetch, check=True, capture_output=True, text=True).stdout
    number = host.run("id -u shop").stdout.strip()
    assert page == f"shop as {number}"
    # What was not opened is closed.
    host.run("setsid python3 -m http.server 8124 >/dev/null 2>&1 </dev/null &")
    closed = ["curl", "-sS", "--max-time", "3", f"http://{host.address}:8124/"]
    assert subprocess.run(closed, check=False, capture_output=True).returncode == 28
    last = debian.run("--check")
    assert last.returncode == 0, last.stdout
