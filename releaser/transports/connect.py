"""From a host of the configuration to a channel to it, by the transport that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from castoff.config.hosts import ResolvedHost
from castoff.config.own_user import user_name
from castoff.releaser.bundle import bootstrap
from castoff.releaser.descriptors import make_room
from castoff.releaser.errors import ChannelClosed, ChannelTimeout, HostUnreachable
from castoff.releaser.threads import check_threads
from castoff.releaser.transports.base import Channel
from castoff.releaser.transports.become import Passwords, as_user
from castoff.releaser.transports.ssh_library import load

Connect = Callable[[ResolvedHost, float], Channel]


def connector(hosts: Iterable[ResolvedHost]) -> Connect:
    """Return a function that starts the agent's bootstrap on one of these hosts.

    Its arguments are the host and the time limit in seconds; it raises `HostUnreachable`,
    `HostKeyRejected` and `ConfigError`. paramiko is loaded only if some host needs it.
    """
    start = starter(hosts)

    def connect(host: ResolvedHost, timeout: float) -> Channel:
        password = host.sudo is not None and host.sudo_password is not None
        return start(host, bootstrap(host.python or "python3", after_password=password), timeout)

    return connect


def starter(hosts: Iterable[ResolvedHost]) -> Callable[[ResolvedHost, str, float], Channel]:
    """Return a function that starts a command on one of these hosts, as the user configured.

    The command is of plain words and single quotes, which every login shell takes. Where a
    password was sent for sudo, standard input begins with it, unless sudo has taken it, and goes
    on after an empty line.

    Raises:
        UsageError: The system does not allow a connection to each host at once, or threads for it.
    """
    wanted = list(hosts)
    make_room(wanted)
    check_threads(wanted)
    reach = _reach([host for host in wanted if host.transport == "ssh"])
    passwords = Passwords()

    def start(host: ResolvedHost, command: str, timeout: float) -> Channel:
        if host.sudo is None:
            return reach(host, command, timeout)
        if host.sudo_password is None:
            return reach(host, as_user(host.sudo, command, password=False), timeout)
        password = passwords.get(host.sudo_password)
        channel = reach(host, as_user(host.sudo, command, password=True), timeout)
        try:
            channel.send(f"{password}\n\n".encode(), timeout=timeout)
        except (ChannelClosed, ChannelTimeout) as error:
            said = channel.complaints()
            channel.close()
            raise HostUnreachable(host.name, f"sudo did not start: {said}", code="sudo") from error
        return channel

    return start


def _reach(remote: list[ResolvedHost]) -> Callable[[ResolvedHost, str, float], Channel]:
    ssh = _ssh(remote) if remote else None

    def reach(host: ResolvedHost, command: str, timeout: float) -> Channel:
        if host.transport == "local" or ssh is None:
            from castoff.releaser.transports.local import LocalChannel

            return LocalChannel(command)
        return ssh(host, command, timeout)

    return reach


def _ssh(remote: list[ResolvedHost]) -> Callable[[ResolvedHost, str, float], Channel]:
    load()
    from castoff.releaser.transports.route import Hop, route
    from castoff.releaser.transports.ssh import SshChannel, SshTransport
    from castoff.releaser.transports.ssh_config import SshConfig

    extra = dict.fromkeys(host.known_hosts for host in remote if host.known_hosts is not None)
    transport, config, login = SshTransport(extra), SshConfig(), user_name()
    # A relay's own agent goes over the one connection to it.
    shared = {relay.name for host in remote for relay in host.relays}

    def way(host: ResolvedHost) -> tuple[Hop, ...]:
        return route(host, config, login=login)

    def start(host: ResolvedHost, command: str, timeout: float) -> SshChannel:
        return transport.open(command, way(host), timeout=timeout, shared=host.name in shared)

    if not shared:
        return start
    from castoff.releaser.transports.relays import Relays

    def start_relay(host: ResolvedHost, command: str, timeout: float) -> SshChannel:
        return transport.open(command, way(host), timeout=timeout, shared=True, brief=True)

    relays = Relays(start, start_relay, lambda host: way(host)[-1], transport.trusted_by)

    def open_one(host: ResolvedHost, command: str, timeout: float) -> Channel:
        return (relays.open if host.relays else start)(host, command, timeout)

    return open_one
