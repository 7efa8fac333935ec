"""The hosts as other tools want to know them; no I/O."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from castoff.config.hosts import ResolvedHost
from castoff.releaser.transports.route import Hop

_Way = tuple[ResolvedHost, tuple[Hop, ...]]


def inventory(app: str, environment: str, ways: Sequence[_Way]) -> dict[str, object]:
    """Return the hosts with all that is needed to log in, for any tool.

    Args:
        app: The app's name.
        environment: The environment's.
        ways: Each host with the hops to it; none for this machine.
    """
    return {
        "app": app,
        "environment": environment,
        "hosts": [
            {
                "name": host.name,
                "address": hops[-1].address if hops else "localhost",
                "user": hops[-1].user if hops else None,
                "port": hops[-1].port if hops else None,
                "keys": [str(path) for path in hops[-1].keys] if hops else [],
                "jump": _jump(hops),
                "transport": host.transport,
                "roles": list(host.roles),
                "root": host.root,
            }
            for host, hops in ways
        ],
    }


def for_ansible(ways: Sequence[_Way]) -> dict[str, object]:
    """Return the hosts as Ansible's YAML inventories have them, each role as a group.

    JSON is YAML; `ansible_…` are Ansible's own names ("Connecting to hosts: behavioral inventory
    parameters" in its guide).
    """
    roles = sorted({role for host, _ in ways for role in host.roles})
    return {
        "all": {
            "hosts": {host.name: _variables(host, hops) for host, hops in ways},
            "children": {
                role.replace("-", "_").replace(".", "_"): {
                    "hosts": {host.name: {} for host, _ in ways if role in host.roles}
                }
                for role in roles
            },
        }
    }


def _variables(host: ResolvedHost, hops: tuple[Hop, ...]) -> dict[str, object]:
    if not hops:
        return {"ansible_connection": "local"}
    last = hops[-1]
    variables: dict[str, object] = {
        "ansible_host": last.address,
        "ansible_port": last.port,
        "ansible_user": last.user,
    }
    if last.keys:
        variables["ansible_ssh_private_key_file"] = str(last.keys[0])
    options = ["-o StrictHostKeyChecking=yes"]
    if host.known_hosts is not None:
        # ssh parts the files at white space outside of quotes, after Ansible has parted the words.
        files = f'GlobalKnownHostsFile=/etc/ssh/ssh_known_hosts "{host.known_hosts}"'
        options.append(f"-o {shlex.quote(files)}")
    if jump := _jump(hops):
        options.append(f"-J {jump}")
    variables["ansible_ssh_common_args"] = " ".join(options)
    return variables


def _jump(hops: tuple[Hop, ...]) -> str | None:
    return ",".join(f"{hop.user}@{hop.address}:{hop.port}" for hop in hops[:-1]) or None
