"""By which hops a host is reached: castoff.toml first, then `~/.ssh/config`, then SSH's ways."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from castoff.config.errors import ConfigError
from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import HostUnreachable
from castoff.releaser.transports.ssh_config import Entry, SshConfig

SSH_PORT = 22
_MOST_HOPS = 8


@dataclass(frozen=True, slots=True)
class Hop:
    """One SSH server on the way, the host itself being the last.

    Attributes:
        host: Name of the host that it leads to, for messages.
        part: `jump host ADDRESS: ` on the way, else empty; for messages.
        keys: Private key files to offer.
        only_keys: Whether nothing else is offered: no key of the SSH agent, no usual file.
        known_hosts: Files of trusted keys in place of `~/.ssh/known_hosts`; empty for that one.
        timeout: Seconds for the TCP connection; None for all there are.
    """

    host: str
    part: str
    address: str
    port: int
    user: str
    keys: tuple[Path, ...] = ()
    only_keys: bool = False
    known_hosts: tuple[Path, ...] = ()
    timeout: float | None = None


def route(host: ResolvedHost, config: SshConfig, *, login: str) -> tuple[Hop, ...]:
    """Return the hops to a host, in the order in which they are taken.

    Args:
        host: The host.
        config: The user's own SSH configuration.
        login: Who logs in where nothing says who.

    Raises:
        HostUnreachable: The SSH configuration wants what Castoff does not do.
    """
    try:
        return _route(host, config, login)
    except ConfigError as error:
        raise HostUnreachable(
            host.name, error.message, code="ssh-config", hint=error.hint
        ) from error


def route_past_relay(host: ResolvedHost, config: SshConfig, *, login: str) -> tuple[Hop, ...]:
    """Return the hops to a host, its relay being one of them, for whoever needs a connection to it.

    Args:
        host: The host.
        config: The user's own SSH configuration.
        login: Who logs in where nothing says who.

    Raises:
        HostUnreachable: The SSH configuration wants what Castoff does not do.
    """
    hops = route(host, config, login=login)
    if not host.relays:
        return hops
    *before, relay = route(host.relays[0], config, login=login)
    relay = replace(relay, part=f"jump host {relay.address}: ")
    return (*(replace(hop, host=host.name) for hop in (*before, relay)), hops[-1])


def _route(host: ResolvedHost, config: SshConfig, login: str) -> tuple[Hop, ...]:
    entry = config.of(host.address)
    user = host.user or entry.user or login
    last = Hop(
        host=host.name,
        part="",
        address=entry.address,
        port=host.port or entry.port or SSH_PORT,
        user=user,
        keys=entry.keys if host.key is None else (host.key,),
        only_keys=entry.only_keys or host.key is not None,
        known_hosts=entry.known_hosts,
        timeout=entry.timeout,
    )
    return (*_jumps(host, host.jump, entry, config, user, depth=0), last)


def _jumps(
    host: ResolvedHost, said: str | None, entry: Entry, config: SshConfig, user: str, *, depth: int
) -> tuple[Hop, ...]:
    if said is None:
        said = entry.jump
        if said is None and entry.command is not None:
            raise HostUnreachable(
                host.name,
                f"~/.ssh/config has a ProxyCommand for {entry.address}, which Castoff does not run",
                code="ssh-config",
                hint="Use ProxyJump there, or `jump` in castoff.toml, which wins over it.",
            )
    if said is None or said == "none":
        return ()
    if depth == _MOST_HOPS:
        raise HostUnreachable(
            host.name, "jump hosts lead to each other without end", code="ssh-config"
        )
    hops: list[Hop] = []
    for number, text in enumerate(said.split(",")):
        jump_user, name, port = split_jump(text)
        there = config.of(name)
        if number == 0:
            hops += _jumps(host, None, there, config, user, depth=depth + 1)
        hops.append(
            Hop(
                host=host.name,
                part=f"jump host {name}: ",
                address=there.address,
                port=port or there.port or SSH_PORT,
                user=jump_user or there.user or user,
                keys=there.keys if host.key is None or there.keys else (host.key,),
                only_keys=there.only_keys or (host.key is not None and not there.keys),
                known_hosts=there.known_hosts,
                timeout=there.timeout,
            )
        )
    return tuple(hops)


def split_jump(jump: str) -> tuple[str | None, str, int | None]:
    """Return user, address and port of `[user@]host[:port]`, None for what it does not say."""
    user, _, rest = jump.removeprefix("ssh://").rpartition("@")
    address, colon, port = rest.rpartition(":")
    if not colon or not port.isdigit() or (":" in address and not address.endswith("]")):
        return user or None, rest.strip("[]"), None
    return user or None, address.strip("[]"), int(port)
