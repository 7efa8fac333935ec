"""The hosts of an environment, with everything they take from it filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from castoff.config.errors import ConfigError
from castoff.config.model import Environment, Host, RelayLogin, SudoPassword, Transport
from castoff.config.paths import local_path
from castoff.config.relays import misfits, relays_of


@dataclass(frozen=True, slots=True)
class ResolvedHost:
    """One host as the releaser sees it.

    Attributes:
        name: Its name in the configuration, unique in the environment.
        address: Host name or IP address to connect to.
        roles: What it does, in the order of the file.
        transport: How it is reached.
        user: Login name there; None for what the SSH configuration says.
        port: TCP port of the SSH server; None in the same way.
        key: Private key file, absolute; None in the same way.
        jump: `[user@]host[:port],…` to go through; None in the same way.
        python: Interpreter on the host, or None to find one.
        root: Folder of the app on the host: absolute, or below `~/` for `ssh`.
        env: Variables of its steps and launchers; the host's own win over the environment's.
        known_hosts: Further file of trusted host keys, absolute, or None.
        sudo: User that the agent becomes with sudo, or None.
        sudo_password: Where the password for that is found, or None if none is needed.
        umask: Octal digits of what steps may not give to what they create, or None.
        zone: What it has in common with hosts that are near it, or None.
        relays: Hosts by way of which it is reached, the first that can be used; none, directly.
        relay_login: Whose keys the relay logs in to it with: the controller's, or its own.
    """

    name: str
    address: str
    roles: tuple[str, ...]
    transport: Transport
    user: str | None
    port: int | None
    key: Path | None
    jump: str | None
    python: str | None
    root: str
    env: Mapping[str, str]
    known_hosts: Path | None
    sudo: str | None = None
    sudo_password: SudoPassword | None = None
    umask: str | None = None
    zone: str | None = None
    relays: tuple[ResolvedHost, ...] = ()
    relay_login: RelayLogin = "controller"


def resolve_hosts(app_name: str, env: Environment, base: Path) -> tuple[ResolvedHost, ...]:
    """Return the environment's hosts for one app, in the order of the file.

    Args:
        app_name: Stands for `{app}` in roots.
        env: The environment, as it was read.
        base: Folder of castoff.toml, from which relative local paths start.

    Raises:
        ConfigError: Two local hosts would share one root, a host's relay is none, or a path
            starts with the home folder of a user who does not exist.
    """
    hosts = tuple(_resolve(app_name, env, host, base.absolute()) for host in env.hosts)
    owners: dict[str, str] = {}
    for host in hosts:
        if host.transport != "local":
            continue
        owner = owners.setdefault(host.root, host.name)
        if owner != host.name:
            raise ConfigError(
                f"the local hosts {owner!r} and {host.name!r} share the root {host.root}",
                hint="Give each its own: put {host} into the environment's root.",
            )
    # Of hosts that were looked up, this is the first time that all are known.
    for misfit in misfits(env, whole=True):
        raise ConfigError(misfit.message, hint="A relay is another host of the environment.")
    by_name = {host.name: host for host in hosts}
    login = env.fan_out.relay_login
    return tuple(
        replace(by_name[name], relays=tuple(by_name[one] for one in relays), relay_login=login)
        for name, relays in relays_of(env).items()
    )


def _resolve(app_name: str, env: Environment, host: Host, base: Path) -> ResolvedHost:
    transport = host.transport or env.transport
    root = (host.root or env.root).replace("{app}", app_name).replace("{host}", host.name)
    return ResolvedHost(
        name=host.name,
        address=host.address or host.name,
        roles=host.roles,
        transport=transport,
        user=host.user or env.user,
        port=host.port or env.port,
        key=_here(host.key or env.key, base),
        jump=host.jump or env.jump,
        python=host.python or env.python,
        root=str(_here(root, base)) if transport == "local" else root,
        env={**env.env, **host.env},
        known_hosts=_here(env.known_hosts, base),
        sudo=_become(env.sudo if host.sudo is None else host.sudo),
        sudo_password=host.sudo_password or env.sudo_password,
        umask=host.umask or env.umask,
        zone=host.zone,
    )


def _become(sudo: bool | str) -> str | None:
    if isinstance(sudo, str):
        return sudo
    return "root" if sudo else None


def _here(text: str | None, base: Path) -> Path | None:
    return None if text is None else local_path(text, base)
