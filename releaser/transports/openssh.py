"""The OpenSSH client's command line for a host of the configuration; no I/O."""

from __future__ import annotations

import shlex

from castoff.config.hosts import ResolvedHost


def ssh_argv(host: ResolvedHost, command: list[str]) -> list[str]:
    """Return the words that log in to a host as Castoff does, and run `command` if it has words.

    A relay is gone through as a jump host, with its own key and known hosts, of which `-J` would
    know nothing. What castoff.toml does not say is left to OpenSSH's own configuration. The SSH
    agent is never forwarded, and the host's key must be known.
    """
    return [*_options(host), "--", host.address, *command]


def _options(host: ResolvedHost) -> list[str]:
    words = ["ssh", "-a", "-o", "StrictHostKeyChecking=yes"]
    if host.known_hosts is not None:
        files = f'/etc/ssh/ssh_known_hosts "{host.known_hosts}"'
        words += ["-o", f"GlobalKnownHostsFile={files}"]
    if host.port is not None:
        words += ["-p", str(host.port)]
    if host.user is not None:
        words += ["-l", host.user]
    if host.key is not None:
        words += ["-i", str(host.key), "-o", "IdentitiesOnly=yes"]
    if host.relays:
        words += ["-o", f"ProxyCommand={_way_through(host.relays[0])}"]
    elif host.jump is not None:
        words += ["-J", host.jump]
    return words


def _way_through(relay: ResolvedHost) -> str:
    """Return a command for the shell, in which OpenSSH puts host and port in."""
    words = [*_options(relay), "-W", "[%h]:%p", "--", relay.address]
    # In all others a percent sign is itself.
    return shlex.join(word if word == "[%h]:%p" else word.replace("%", "%%") for word in words)
