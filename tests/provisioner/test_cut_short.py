"""Provisioning that ends half-way: what it leaves, and that the next run goes on from there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from castoff.provisioner import run
from castoff.provisioner.outcome import Outcome
from castoff.store.errors import ExitCode
from support.flat_repository import flat_repository
from support.provisioning import CASTOFF, Provisioning

pytestmark = pytest.mark.fleet

WHOLE = """
packages = ["tidy-tool"]
user = {}
nginx = { package = "nginx-light", upstream = "127.0.0.1:8123" }
units = [{ name = "shop", command = "bin/shop" }]
sudo = { user = "deploy", restart = true }
firewall = {}
"""


@pytest.mark.parametrize(
    "thing",
    [
        "unit shop.service",
        *(
            pytest.param(name, marks=pytest.mark.sweep)
            for name in (
                "packages tidy-tool, nginx-light, sudo, nftables",
                "user shop",
                "directory /srv/shop",
                "sudo rules castoff-shop",
                "nginx site shop",
            )
        ),
    ],
)
def test_a_host_that_loses_power_half_way_is_made_ready_by_the_next_run(
    bare: Provisioning, thing: str
) -> None:
    host = bare.fleet.hosts[0]
    flat_repository(host.path("/"), "/srv/repository", "tidy-tool")
    bare.write(WHOLE)
    process = subprocess.Popen(
        [CASTOFF, "provision", "web1"],
        cwd=bare.folder,
        env=bare.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line == f"web1: {thing}: changed\n":
            # What ends with the processes is told to us; a silent host is waited for.
            host.run("kill -9 -1", check=False)
            host.kill()
            break
    else:
        pytest.fail(f"{thing} was never done")
    _, errors = process.communicate()
    assert process.returncode == ExitCode.PROVISION, errors
    assert "web1: " in errors

    host.start()
    again = bare.run("web1")
    assert again.returncode == 0, again.stdout + again.stderr
    assert f"web1: {thing}: ok\n" in again.stdout or "nginx" in thing
    assert bare.run("web1", "--check").returncode == 0
    assert host.run("systemctl is-enabled shop; nft list table inet castoff").returncode == 0


def test_a_site_that_nginx_refuses_is_taken_back(bare: Provisioning) -> None:
    host = bare.fleet.hosts[0]
    bare.write('nginx = { package = "nginx-light", template = "site.j2" }')
    good = "server { listen 80 default_server; return 204; }\n"
    site: Path = bare.folder / "site.j2"
    site.write_text(good)
    host.run("rm -f /etc/nginx/sites-enabled/default")
    first = bare.run("web1")
    assert first.returncode == 0, first.stdout + first.stderr
    site.write_text("server { lisen 80; }\n")

    refused = bare.run("web1")

    assert refused.returncode == ExitCode.PROVISION
    assert 'unknown directive "lisen"' in refused.stderr
    assert host.run("nginx -t -q && cat /etc/nginx/sites-enabled/shop").stdout == good
    assert host.run("ls -A /etc/nginx/sites-available | sort").stdout == "default\nshop\n"


def test_an_engine_that_hangs_after_its_last_word_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hangs = 'import sys, time; sys.stdin.read(); print(\'{"event": "end"}\', flush=True)'
    monkeypatch.setattr(run, "_ENGINE", f"{hangs}; time.sleep(600)")
    monkeypatch.setattr(run, "_GRACE", 0.1)
    heard = run.run([], print, check=True, at_once=1, connect_timeout=1, command_timeout=1)
    assert heard == Outcome((), ())


def test_without_pyinfra_it_says_how_to_install_it(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['pyinfra'] = None\n"
        "from castoff.provisioner import run\n"
        "run.find_spec = lambda name: None\n"
        "from castoff.provisioner.errors import CannotProvision\n"
        "try: run.run([], print, check=True, at_once=1, connect_timeout=1, command_timeout=1)\n"
        "except CannotProvision as error: print(error.message, error.hint, error.exit_code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert "needs pyinfra" in done.stdout
    assert "pip install 'castoff[provision]'" in done.stdout
    assert done.stdout.endswith(" 29\n")
