"""The hosts that an environment does not list itself: looked up once, when a command needs them."""

from __future__ import annotations

from pathlib import Path

from castoff.config.host_rows import parse_hosts, with_hosts
from castoff.config.model import Environment


def look_up_hosts(environment: Environment, base: Path) -> Environment:
    """Return the environment with all its hosts; as it is where the file lists them.

    Args:
        environment: As it was read.
        base: Folder of castoff.toml, in which its command runs.

    Raises:
        HostsUnknown: The command fails, or EC2 does not answer.
        ConfigError: What they say are no hosts, or hosts that do not go together.
    """
    source = environment.hosts_from
    if source is None:
        return environment
    if source.command is not None:
        from castoff.releaser.inventory.command import ask_command

        origin = "hosts_from's command"
        rows = ask_command(source.command, base, limit=source.timeout)
    else:
        from castoff.releaser.inventory.ec2 import ask_ec2

        origin = "hosts_from's EC2 instances"
        rows = ask_ec2(source)
    return with_hosts(environment, parse_hosts(rows, origin=origin), origin=origin)
