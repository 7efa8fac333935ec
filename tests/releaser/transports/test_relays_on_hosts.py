"""A host behind a relay that is special in every way that a direct one may be."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace

import pytest

from castoff.config.model import SudoPassword
from castoff.releaser.transports.connect import starter
from support.fleet_fixtures import MakeFleet
from support.resolved import resolved, sessions

PASSWORD = "p4ss' word\\ 17"
SSHD = "/etc/ssh/sshd_config"
HANG_UP = "kill -HUP $(cat /run/sshd.pid); sleep 0.3"
RELAY, FAR = "fd00:cafe::1", "fd00:cafe::2"


@pytest.mark.fleet
@pytest.mark.sweep
def test_sudo_with_a_password_by_ipv6_at_another_port(
    make_fleet: MakeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = make_fleet(2)
    if not fleet.isolated or shutil.which("sudo") is None:
        pytest.skip("needs root, network namespaces and sudo")
    near, far = fleet.hosts
    near.run(
        f"sysctl -qw net.ipv6.conf.all.disable_ipv6=0; ip -6 addr add {RELAY}/64 dev eth0 nodad"
    )
    far.run(f"sysctl -qw net.ipv6.conf.all.disable_ipv6=0; ip -6 addr add {FAR}/64 dev eth0 nodad")
    far.run(f"printf 'Port 2222\\nAllowAgentForwarding no\\n' >> {SSHD}; {HANG_UP}")
    near.run(f"printf 'AllowAgentForwarding no\\n' >> {SSHD}; {HANG_UP}")
    far.add_user("app")
    far.add_user("careful", password=PASSWORD, sudo="ALL=(app) ALL")
    key = next(
        line.split(maxsplit=1)[1]
        for line in fleet.known_hosts.read_text().splitlines()
        if line.startswith(far.address)
    )
    with fleet.known_hosts.open("a") as file:
        file.write(f"[{FAR}]:2222 {key}\n")
    monkeypatch.setenv("SUDO_WORD", PASSWORD)

    relay = resolved(near)
    host = replace(
        resolved(far, sudo="app", sudo_password=SudoPassword(env="SUDO_WORD"), relays=(relay,)),
        address=FAR,
        port=2222,
        user="careful",
        root="~/releases",
        python="/usr/bin/python3",
    )
    with sessions([relay, host], lock=True, limit=60) as open_ones:
        assert open_ones.open(relay).facts.user == "root"
        assert open_ones.open(host).facts.user == "app"
        args = near.run("ps axww -o args").stdout
        assert FAR in args
        assert PASSWORD not in args
    with closing(starter([host])(replace(host, sudo=None), "whoami", 60)) as channel:
        assert channel.receive(timeout=60) == b"careful\n"
