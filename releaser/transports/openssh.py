"""The OpenSSH client's command line for a host of the configuration."""

from __future__ import annotations

import shlex
from pathlib import Path

from castoff.config.hosts import ResolvedHost


def ssh_argv(host: ResolvedHost, command: list[str]) -> list[str]:
    """Return the words that log in to a host as Castoff does, and run `command` if it has words.

    A relay is gone through as a jump host. All jump hosts are given the user, the key and the known
    hosts that they have in a release, of which `-J` would know nothing. What castoff.toml does not
    say is left to OpenSSH's own configuration. The SSH agent is never forwarded, and the host's key
    must be known.

    Raises:
        ConfigError: The SSH configuration cannot be read, or wants what Castoff does not do.
    """
    return [*_options(host), "--", host.address, *command]


def _options(host: ResolvedHost) -> list[str]:
    words = _login(host, host.user, host.port)
    if host.key is not None:
        words += _only(host.key)
    if host.relays:
        relay = host.relays[0]
        words += ["-o", f"ProxyCommand={_way_through(_options(relay), relay.address)}"]
    elif host.jump == "none":
        words += ["-J", "none"]
    elif host.jump is not None:
        words += ["-o", f"ProxyCommand={_jumps(host, host.jump)}"]
    return words


def _login(host: ResolvedHost, user: str | None, port: int | None) -> list[str]:
    words = ["ssh", "-a", "-o", "StrictHostKeyChecking=yes"]
    if host.known_hosts is not None:
        files = f'/etc/ssh/ssh_known_hosts "{host.known_hosts}"'
        words += ["-o", f"GlobalKnownHostsFile={files}"]
    if port is not None:
        words += ["-p", str(port)]
    if user is not None:
        words += ["-l", user]
    return words


def _only(key: Path) -> list[str]:
    # `-i` takes a name with a percent sign for none.
    name = str(key).replace("%", "%%")
    return ["-o", f'IdentityFile="{name}"', "-o", "IdentitiesOnly=yes"]


def _jumps(host: ResolvedHost, said: str) -> str:
    """Return the command that leads through a host's jump hosts; `route` says the same to us."""
    # Whoever has none does not wait for paramiko.
    from castoff.releaser.transports.route import split_jump
    from castoff.releaser.transports.ssh_config import SshConfig

    config, way = SshConfig(), ""
    for text in said.split(","):
        user, name, port = split_jump(text)
        there = config.of(name)
        words = _login(host, user or (None if there.user else host.user), port)
        if host.key is not None and not there.keys:
            words += _only(host.key)
        if way:
            words += ["-o", f"ProxyCommand={way}"]
        way = _way_through(words, name)
    return way


def _way_through(words: list[str], address: str) -> str:
    """Return a command for the shell, in which OpenSSH puts host and port in."""
    words = [*words, "-W", "[%h]:%p", "--", address]
    # In all others a percent sign is itself.
    return shlex.join(word if word == "[%h]:%p" else word.replace("%", "%%") for word in words)
