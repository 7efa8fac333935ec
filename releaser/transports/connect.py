"""From a host of the configuration to a channel to it, by the transport that it names."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from castoff.config.hosts import ResolvedHost
from castoff.releaser.bundle import bootstrap
from castoff.releaser.transports.base import Channel

if TYPE_CHECKING:
    from castoff.releaser.transports.ssh import SshTransport

Connect = Callable[[ResolvedHost, float], Channel]


def connector(hosts: Iterable[ResolvedHost]) -> Connect:
    """Return a function that starts the agent's bootstrap on one of these hosts.

    Its arguments are the host and the time limit in seconds; it raises `HostUnreachable` and
    `HostKeyRejected`. paramiko is loaded only if some host needs it.
    """
    ssh = _ssh(hosts)

    def connect(host: ResolvedHost, timeout: float) -> Channel:
        command = bootstrap(host.python or "python3")
        if host.transport == "local" or ssh is None:
            from castoff.releaser.transports.local import LocalChannel

            return LocalChannel(command)
        return ssh.open(
            command,
            host=host.name,
            address=host.address,
            port=host.port,
            user=host.user or getpass.getuser(),
            key=host.key,
            jump=host.jump,
            timeout=timeout,
        )

    return connect


def _ssh(hosts: Iterable[ResolvedHost]) -> SshTransport | None:
    remote = [host for host in hosts if host.transport == "ssh"]
    if not remote:
        return None
    from castoff.releaser.transports.hostkeys import TrustedKeys
    from castoff.releaser.transports.ssh import SshTransport

    extra = dict.fromkeys(host.known_hosts for host in remote if host.known_hosts is not None)
    return SshTransport(TrustedKeys(extra))
