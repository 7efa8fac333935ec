"""What castoff.toml says of hosts, and of where their list is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from castoff.config import rules
from castoff.config.table import (
    Address,
    Name,
    Port,
    Seconds,
    Sudo,
    Table,
    Text,
    Transport,
    Umask,
)


class SudoPassword(Table):
    """`[environments.E.sudo_password]`: where the machine that releases finds it."""

    # Environment variable that holds it.
    env: Text | None = None
    # Run by /bin/sh -c; the first line that it prints is the password.
    command: Text | None = None

    @model_validator(mode="after")
    def _says_one_place(self) -> SudoPassword:
        rules.require(rules.one_of(self, "env", "command"))
        return self


class Host(Table):
    """`[[environments.E.hosts]]`: what is not said here is taken from the environment."""

    name: Name
    # Host name or IP address; default: the name.
    address: Address | None = None
    roles: tuple[Name, ...] = ()
    # Hosts of one zone are near each other, as in a rack or a site: see `transfer.peers` and
    # `fan_out.relay`.
    zone: Name | None = None
    transport: Transport | None = None
    user: Address | None = None
    port: Port | None = None
    # Private key file; default: the SSH agent, then ~/.ssh/id_*.
    key: Text | None = None
    jump: Address | None = None
    # Another host, by its name, that carries the messages to this one; "none": it is reached
    # directly whatever `fan_out` says.
    relay: Name | None = None
    # Interpreter on the host for the agent and the app; default: found by version.
    python: Text | None = None
    # Folder of the app on the host; {app} and {host} are filled in.
    root: Annotated[str, StringConstraints(pattern=r"^(/|~/|\{|\.)")] | None = None
    # User that the agent becomes with sudo: true is root.
    sudo: Sudo | None = None
    sudo_password: SudoPassword | None = None
    # What steps create is without these permissions.
    umask: Umask | None = None
    # Environment variables for steps and launchers on this host.
    env: dict[str, str] = Field(default_factory=dict)


class Ec2(Table):
    """`[environments.E.hosts_from.ec2]`: running instances that have all of these tags."""

    # A value may hold `*` and `?`, as EC2's filters take them.
    tags: Annotated[dict[str, str], Field(min_length=1)]
    # Default: the AWS configuration's.
    region: Text | None = None
    profile: Text | None = None
    # Which address of an instance to connect to.
    address: Literal["private", "public"] = "private"
    # Tag that lists an instance's roles, with commas or white space between them.
    role_tag: Text = "role"


class HostsFrom(Table):
    """`[environments.E.hosts_from]`: hosts that are looked up by each command that needs them."""

    # Run by /bin/sh -c beside castoff.toml; prints a JSON list of tables as in `hosts`.
    command: Text | None = None
    ec2: Ec2 | None = None
    # Seconds until the list must be there.
    timeout: Seconds = 30

    @model_validator(mode="after")
    def _has_one_origin(self) -> HostsFrom:
        rules.require(rules.one_of(self, "command", "ec2"))
        return self
