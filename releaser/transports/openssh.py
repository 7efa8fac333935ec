"""The OpenSSH client's command line for a host of the configuration; no I/O."""

from __future__ import annotations

from castoff.config.hosts import ResolvedHost


def ssh_argv(host: ResolvedHost, command: list[str]) -> list[str]:
    """Return the words that log in to a host as Castoff does, and run `command` if it has words.

    A relay is gone through as a jump host. What castoff.toml does not say is left to OpenSSH's own
    configuration. The SSH agent is never forwarded, and the host's key must be known.
    """
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
        relay = host.relays[0]
        before = f"{relay.jump}," if relay.jump not in (None, "none") else ""
        words += ["-J", f"{before}{_place(relay)}"]
    elif host.jump is not None:
        words += ["-J", host.jump]
    return [*words, "--", host.address, *command]


def _place(host: ResolvedHost) -> str:
    address = f"[{host.address}]" if ":" in host.address else host.address
    user = "" if host.user is None else f"{host.user}@"
    port = "" if host.port is None else f":{host.port}"
    return f"{user}{address}{port}"
