"""Hosts of one zone of which the controller is to reach the first alone, and what is seen there."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable

from support.fleet import Fleet, FleetHost
from support.pages import write_config
from support.site import Outcome, Site

RELAYS = '[environments.production.fan_out]\nrelay = "zone"\n'
# Of a machine that others use too.
PATIENT = "limits = { connect = 60, answer = 60 }\n"
RESTART = """
[[environments.production.steps]]
name = "restart"
moment = "activate"
command = 'echo "restart $CASTOFF_VERSION" >> "$CASTOFF_SHARED/log"'
"""
SSHD = "/etc/ssh/sshd_config"
HANG_UP = "kill -HUP $(cat /run/sshd.pid); sleep 0.3"
_HELD = """
[[environments.production.steps]]
name = "hold"
moment = "MOMENT"
timeout = 60
command = 'test "$CASTOFF_HOST$CASTOFF_VERSION" != HOST2.0 || test -e /srv/go || \
{ touch /srv/reached; until [ -e /srv/go ]; do sleep 0.05; done; }'
"""


def held(moment: str, host: str = "web2") -> str:
    """Return a step at which a host stays with version 2.0 until `/srv/go` is there."""
    return _HELD.replace("MOMENT", moment).replace("HOST2.0", f"{host}2.0")


def write(site: Site, fleet: Fleet, *, steps: str = RESTART, more: str = PATIENT) -> None:
    """Write a castoff.toml in which all hosts are of one zone."""
    write_config(site, fleet, steps=steps, more=f"{more}{RELAYS}")
    path = site.folder / "castoff.toml"
    table = "[[environments.production.hosts]]"
    path.write_text(path.read_text().replace(table, f'{table}\nzone = "rack"'))


def shut_off(fleet: Fleet, *hosts: FleetHost) -> None:
    """Let hosts answer nothing that comes from the controller."""
    for host in hosts:
        host.run(f"ip route add blackhole {fleet.gateway}/32")


def logins(host: FleetHost) -> list[str]:
    """Return the addresses from which somebody has logged in to a host."""
    return re.findall(r"Accepted publickey for \S+ from (\S+)", host.read("/srv/sshd.log"))


def sound(outcome: Outcome) -> Outcome:
    """Return the outcome of a command that had to succeed."""
    assert outcome.code == 0, outcome.err
    return outcome


def kill_relay(host: FleetHost, sent: str = "KILL") -> bool:
    """End the relay's own process, which alone has children of the name ssh, or send it another."""
    parents = "ps -o ppid= -C ssh | sort -u"
    return host.run(f"{parents} | xargs -r kill -{sent}", check=False).returncode == 0


def ended(host: FleetHost) -> bool:
    """Whether no agent, relay or `ssh` that Castoff has started runs on a host any more."""
    lines = host.run("ps axww -o args").stdout.splitlines()
    return not any(line.startswith(("ssh -T", "python3 -I")) for line in lines)


def until(is_so: Callable[[], bool], run: subprocess.Popen[str] | None = None) -> None:
    """Wait until something is so, while a command runs if one is named."""
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        assert run is None or run.poll() is None, run.communicate()
        time.sleep(0.02)
