"""Castoff: `castoff release` and `castoff rollback`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from release_work.ground import Ground
from release_work.peers.peer import Command
from release_work.repository import Repository
from support.site import CASTOFF

_HEAD = "[[environments.@.hosts]]\n"


class Castoff:
    """Ourselves, from the working tree.

    Args:
        name: What it is called in results.
        of_each_host: TOML for the table of each host.
        more: TOML beside it, in which `@` stands for the environment after `environments.`.
        variables: For the environment of the command.
    """

    def __init__(
        self,
        name: str = "Castoff",
        *,
        of_each_host: str = "",
        more: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._of_each_host = of_each_host
        self._more = more
        self._variables = {"CI": "true", **(variables or {})}
        self.environment = ""

    def get(self) -> str:
        """Return nothing: it is this very revision."""
        return "this revision"

    def set_up(self, ground: Ground[Repository]) -> None:
        """Write an environment of castoff.toml."""
        hosts = ""
        tables = ground.fleet.toml_hosts("@").split(_HEAD)[1:]
        for table, host in zip(tables, ground.hosts, strict=True):
            variables = f'PORT = "{ground.ports[host.name]}", RELOAD = "{ground.reload(host)}"'
            hosts += f"{_HEAD}{table.strip()}\nenv = {{ {variables} }}\n"
            hosts += f"{self._of_each_host}\n"
        steps = f"""
[[environments.@.steps]]
name = "reload"
moment = "activate"
command = {json.dumps('eval "$RELOAD"')}

[[environments.@.steps]]
name = "health"
moment = "after_activate"
[environments.@.steps.http]
url = "http://127.0.0.1:{{PORT}}/"
contains = "version {{version}}."
interval = 0.1
{self._more}
"""
        self.environment = ground.project.environment(ground.fleet.known_hosts, hosts, steps)
        # So that its modules are compiled, as those of the other tools are by their installation.
        ground.project.castoff("preflight", "--env", self.environment)

    def release(self, ground: Ground[Repository], version: str) -> Command:
        """Return `castoff release`."""
        return self.command(ground, str(CASTOFF), "release", version, *self._where)

    def rollback(self, ground: Ground[Repository], version: str) -> Command:
        """Return `castoff rollback`; the version is found in the history."""
        del version
        return self.command(ground, str(CASTOFF), "rollback", *self._where)

    def prepared(self, ground: Ground[Repository]) -> dict[str, float]:
        """Return when each host had all of the last release, in seconds since the epoch."""
        return {
            host["name"]: step["started"] + step["seconds"]
            for host in self.last(ground)["hosts"]
            for step in host["steps"]
            if step["name"] == "prepare"
        }

    def last(self, ground: Ground[Repository]) -> dict[str, Any]:
        """Return what the history says of the last release."""
        said = ground.project.castoff("report", "--json", "--env", self.environment)
        found: dict[str, Any] = json.loads(said)
        return found

    def command(self, ground: Ground[Repository], *argv: str) -> Command:
        """Return a command in the project's folder."""
        variables = {**ground.project.site.variables, **self._variables}
        return Command(list(argv), ground.project.site.folder, variables)

    @property
    def _where(self) -> tuple[str, str]:
        return "--env", self.environment
