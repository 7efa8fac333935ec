"""What castoff.toml says of a host before its first release: what `castoff provision` sees to."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from castoff.config import provision_rules as rules
from castoff.config.host_tables import SudoPassword
from castoff.config.placeholders import only
from castoff.config.rules import require
from castoff.config.table import (
    Address,
    Mode,
    Name,
    Port,
    RelativePath,
    Seconds,
    Table,
    Text,
)

AbsolutePath = Annotated[str, AfterValidator(rules.absolute)]
SystemName = Annotated[str, AfterValidator(rules.system_name)]
UnitName = Annotated[str, AfterValidator(rules.unit_name)]
OneLine = Annotated[str, AfterValidator(rules.one_line)]
Filled = Annotated[OneLine, AfterValidator(only("app", "host", "root", "user", "socket"))]
Allowed = Annotated[str, StringConstraints(pattern=r"^\d{1,5}(/(tcp|udp))?$")]
Package = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9+.-]*(=\S+)?$")]


class SystemUser(Table):
    """`[environments.E.provision.user]`: the user that the app runs as."""

    # Default: the app's name.
    name: SystemName | None = None
    # Default: /var/lib/NAME.
    home: AbsolutePath | None = None
    # Default: /usr/sbin/nologin, or /bin/sh where there are authorized keys.
    shell: AbsolutePath | None = None
    # Further groups, which must be there.
    groups: tuple[SystemName, ...] = ()
    # Public keys that may log in as this user, as text or as files beside castoff.toml. Others
    # that are there already stay.
    authorized_keys: tuple[OneLine, ...] = ()


class Directory(Table):
    """`[[environments.E.provision.directories]]`: a folder beside those of the app."""

    # An absolute path; {app}, {host}, {root} and {user} are filled in.
    path: Filled
    # Default: the user that the app runs as, and its group.
    owner: SystemName | None = None
    group: SystemName | None = None
    mode: Mode = "0755"


class Nginx(Table):
    """`[environments.E.provision.nginx]`: nginx, and a site that passes requests to the app."""

    package: Package = "nginx"
    # Default: the site answers whatever name is asked for, and Debian's own default site is
    # switched off.
    server_names: tuple[OneLine, ...] = ()
    listen: Port = 80
    # Paths on the host; with both, the site speaks TLS.
    certificate: AbsolutePath | None = None
    certificate_key: AbsolutePath | None = None
    # host:port or unix:/path of the app; {app}, {host}, {root}, {user} and {socket}
    # (/run/APP/APP.sock) are filled in.
    upstream: Filled = "unix:{socket}"
    # What a request's body may hold, as nginx writes it.
    max_body: Annotated[str, StringConstraints(pattern=r"^\d+[kmg]?$")] = "10m"
    # Jinja2 template of the site's file in place of Castoff's own.
    template: RelativePath | None = None
    # Hosts with any of these roles; default: all.
    roles: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _tls_has_both_files(self) -> Nginx:
        require(rules.nginx(self))
        return self


class Unit(Table):
    """`[[environments.E.provision.units]]`: a systemd unit, enabled, started by no one yet."""

    # A service where it has no other ending.
    name: UnitName
    # Path of a program in the release, such as bin/gunicorn, or an absolute one, and its
    # arguments; {app}, {host}, {root}, {user} and {socket} are filled in.
    command: Filled | None = None
    # systemd's Type=: "notify" is for servers that say when they are ready.
    type: Literal["exec", "simple", "notify"] = "exec"
    # Default: the user that the app runs as.
    user: SystemName | None = None
    env: dict[str, OneLine] = Field(default_factory=dict)
    # File of further variables, which need not be there; {root} and the others are filled in.
    env_file: Filled | None = None
    # Folders beside shared/ that it may write to; all others are read-only for it.
    writable: tuple[AbsolutePath, ...] = ()
    # Jinja2 template of the unit's file in place of Castoff's own.
    template: RelativePath | None = None
    # Hosts with any of these roles; default: all.
    roles: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _does_something(self) -> Unit:
        require(rules.unit(self))
        return self


class Firewall(Table):
    """`[environments.E.provision.firewall]`: what may come in; SSH always may."""

    kind: Literal["nftables", "ufw"] = "nftables"
    # Ports as "80", "443/tcp" or "53/udp"; default: where nginx listens.
    allow: tuple[Allowed, ...] | None = None


class SudoRights(Table):
    """`[environments.E.provision.sudo]`: what the user who releases may do without a password."""

    # Default: who logs in for a release.
    user: SystemName | None = None
    # Start, stop, restart and reload the units of `units`, as root.
    restart: bool = False
    # Anything, as the user that the app runs as.
    become: bool = False
    # Whole commands with their arguments, as root; see sudoers(5).
    commands: tuple[OneLine, ...] = ()


class Provision(Table):
    """`[environments.E.provision]`: what a bare Debian host gets before its first release.

    What is here is made so by `castoff provision`, as often as it is run; what was here once and
    is no longer stays on the hosts. Either Castoff does it, with pyinfra, or `command` does.
    """

    # Who logs in to provision; default: as for a release. Whoever it is becomes root with sudo.
    login: Address | None = None
    # The password for that; default: as for a release.
    sudo_password: SudoPassword | None = None
    user: SystemUser | None = None
    # Debian packages: a name, or name=version.
    packages: tuple[Package, ...] = ()
    directories: tuple[Directory, ...] = ()
    nginx: Nginx | None = None
    units: tuple[Unit, ...] = ()
    sudo: SudoRights | None = None
    firewall: Firewall | None = None
    # Run by /bin/sh -c beside castoff.toml, once, instead of all these: Ansible, Salt, Chef or
    # Puppet. It gets the hosts as JSON on standard input and in the file CASTOFF_INVENTORY.
    command: Text | None = None
    # The same for `castoff provision --check`: it changes nothing, and ends with status 0 if
    # nothing differs and 2 if something does.
    check_command: Text | None = None
    # Seconds for each command on a host, or for `command` as a whole.
    timeout: Seconds = 1_800

    @model_validator(mode="after")
    def _is_one_description(self) -> Provision:
        require(rules.provision(self))
        return self
