"""What castoff.toml says of configuration files that a release brings along."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, model_validator

from castoff.config import config_rules, rules
from castoff.config.placeholders import only
from castoff.config.secret_tables import SecretName
from castoff.config.table import Address, Mode, Name, RelativePath, Seconds, Table, Text

FilePath = Annotated[
    str, AfterValidator(config_rules.file_path), AfterValidator(only("app", "host"))
]
Check = Annotated[Text, AfterValidator(config_rules.check)]


class ConfigFile(Table):
    """`[[environments.E.config]]`: a file that is rendered for each host from a template.

    It is checked before any host flips, and comes into use with the flip. docs/how-to/
    configuration-files.md tells what templates know.
    """

    # Template (Jinja2) in the release, from the folder of the app on: it is versioned with the
    # code, and a rollback brings the older one.
    template: RelativePath
    # Where the file belongs: relative, in the release; absolute, on the host, such as
    # /etc/nginx/sites-enabled/shop.conf. {app} and {host} are filled in.
    path: FilePath
    # Three or four octal digits; default: 0640, or 0600 with `secrets`.
    mode: Mode | None = None
    # User and group on the host, by name; default: the user who releases, or who `sudo` becomes.
    owner: Address | None = None
    group: Address | None = None
    # How it is judged before any host flips: "nginx" or "nginx:/its/main.conf"; "systemd"; "none";
    # else a command in which {file} stands for a copy of the file. Default: by `path`, "nginx" in
    # /etc/nginx/, "systemd" in /etc/systemd/system/, else "none".
    check: Check | None = None
    # Seconds that the check may take.
    timeout: Seconds = 60
    # Secrets that the template may use.
    secrets: tuple[SecretName, ...] = ()
    # Hosts with any of these roles; default: all.
    roles: tuple[Name, ...] = ()
    # Globs of names of hosts that it is for; default: all. With `roles`, those that both take in.
    hosts: tuple[Text, ...] = ()
    # Apps it belongs to; default: all.
    apps: tuple[Name, ...] = ()

    @property
    def outside(self) -> bool:
        """Whether the file belongs outside the release."""
        return self.path.startswith("/")

    @model_validator(mode="after")
    def _can_be_judged(self) -> ConfigFile:
        rules.require(config_rules.config_file(self))
        return self
