"""What is asked of the engine: which hosts, the way to each, and what each is to have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from castoff.config.hosts import ResolvedHost
from castoff.config.model import App, Provision
from castoff.config.own_user import user_name
from castoff.provisioner.describe import describe
from castoff.provisioner.surroundings import surroundings
from castoff.provisioner.thing import Thing
from castoff.releaser.transports.become import Passwords
from castoff.releaser.transports.route import Hop, route_past_relay
from castoff.releaser.transports.ssh_config import SshConfig


@dataclass(frozen=True, slots=True)
class HostOrder:
    """One host's part.

    Attributes:
        hops: The way to it; empty for this machine.
        things: What it is to have, in this order.
        sudo_password: Goes to the engine over its standard input, and to sudo in the same way.
    """

    host: ResolvedHost
    hops: tuple[Hop, ...]
    things: tuple[Thing, ...]
    sudo_password: str | None

    def as_json(self) -> dict[str, object]:
        """Return it as the engine's process reads it."""
        return {
            "name": self.host.name,
            "hops": [_hop(hop) for hop in self.hops],
            "things": [asdict(thing) for thing in self.things],
            "sudo_password": self.sudo_password,
        }


def work_order(
    app: str,
    recipe: App,
    environment: str,
    provision: Provision,
    hosts: Sequence[ResolvedHost],
    base: Path,
) -> tuple[HostOrder, ...]:
    """Return what each host is to have, and the way to it.

    Args:
        app: The app's name.
        recipe: The app as castoff.toml has it.
        environment: The environment's name.
        provision: Its table.
        hosts: Those that are meant.
        base: Folder of castoff.toml.

    Raises:
        ConfigError: A template, a key or the password cannot be had.
        HostUnreachable: The SSH configuration wants what Castoff does not do.
    """
    config, passwords = SshConfig(), Passwords()
    orders = []
    for host in hosts:
        around = surroundings(
            app, environment, host, provision, login=_login(way(host, None, config))
        )
        source = provision.sudo_password or host.sudo_password
        orders.append(
            HostOrder(
                host=host,
                hops=way(host, provision.login, config),
                things=describe(around, recipe, provision, base),
                sudo_password=None if source is None else passwords.get(source),
            )
        )
    return tuple(orders)


def way(host: ResolvedHost, login: str | None, config: SshConfig) -> tuple[Hop, ...]:
    """Return the hops to a host, its own last; none for this machine.

    A relay is gone through as a jump host, since there is no agent to carry messages to.

    Args:
        host: The host.
        login: Who logs in there; None for who does in a release.
        config: The user's own SSH configuration.

    Raises:
        HostUnreachable: The SSH configuration wants what Castoff does not do.
    """
    if host.transport == "local":
        return ()
    if login is not None:
        relays = tuple(replace(relay, user=login) for relay in host.relays)
        host = replace(host, user=login, relays=relays)
    return route_past_relay(host, config, login=user_name())


def _login(hops: tuple[Hop, ...]) -> str:
    return hops[-1].user if hops else user_name()


def _hop(hop: Hop) -> dict[str, object]:
    return {
        **asdict(hop),
        "keys": [str(path) for path in hop.keys],
        "known_hosts": [str(path) for path in hop.known_hosts],
    }
