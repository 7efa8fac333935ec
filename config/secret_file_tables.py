"""What castoff.toml says of files on hosts that hold secrets for the app."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from castoff.config.config_tables import FilePath
from castoff.config.placeholders import filled
from castoff.config.secret_rules import private_mode
from castoff.config.secret_tables import SecretName
from castoff.config.table import Address, Name, Table, Text


class SecretFile(Table):
    """`[[environments.E.secret_files]]`: a file of each release that nobody but the app may read.

    Formats: `dotenv`, a line `NAME='value'` for each secret, as shells, systemd and most readers
    of `.env` take it; `json`, one object of texts; `folder`, a file for each secret that holds
    just that.
    """

    # Where it belongs: relative, in the release; absolute, on the host. {app} and {host} are filled
    # in.
    path: FilePath
    # What it holds.
    secrets: Annotated[tuple[SecretName, ...], Field(min_length=1)]
    format: Literal["dotenv", "json", "folder"] = "dotenv"
    # Three or four octal digits, the last of them 0.
    mode: Annotated[str, AfterValidator(private_mode)] = "0600"
    # User and group on the hosts, by name; default: the user who releases.
    owner: Address | None = None
    group: Address | None = None
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

    def each(self, values: Mapping[str, str]) -> Iterator[SecretFile]:
        """Yield the table for each of its files, `{app}` and `{host}` filled in; no I/O.

        A folder has one for each secret.
        """
        path = filled(self.path, values)
        if self.format == "folder":
            for name in self.secrets:
                yield self.model_copy(update={"path": f"{path}/{name}", "secrets": (name,)})
        else:
            yield self.model_copy(update={"path": path})
