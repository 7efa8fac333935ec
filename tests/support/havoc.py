"""What can happen to a host with namespaces of its own, beside the loss of power or network."""

from __future__ import annotations

from support.fleet import FleetHost


def crash(host: FleetHost) -> None:
    """Kill everything on the host, its SSH server and the agent too; peers hear of it at once."""
    _signal_all(host, "KILL")


def freeze(host: FleetHost) -> None:
    """Stop everything on the host: connections stay, and nobody answers."""
    _signal_all(host, "STOP")


def thaw(host: FleetHost) -> None:
    """Let everything on the host go on."""
    _signal_all(host, "CONT")


def _signal_all(host: FleetHost, name: str) -> None:
    # All, as seen from inside: so be sure to be inside.
    inside = f'test "$(hostname)" = {host.name} && test "$(cat /proc/1/comm)" = sh'
    host.run(f"{inside} && kill -s {name} -- -1")
