"""The same release through the real `castoff release`, in two ways.

*The slides' steps on every host* keeps all that the scripts do on hosts, as steps of the release:
the comparison that favours us least. *Built once* is how Castoff is meant to be used: requirements
are installed and static files are collected once, in the build, whose time counts in full.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from common.hosts import Site
from slide_work.stage import APP, Stage
from slide_work.steps import SECONDS, Place, command, waiting

STEPS_ON_HOSTS = "Castoff, all steps on every host"
BUILT_ONCE = "Castoff, built once"
OURS = (STEPS_ON_HOSTS, BUILT_ONCE)
# What each way does on every host before the barrier.
_PREPARE = {
    STEPS_ON_HOSTS: ("deploy_code", "install_requirements", "collectstatic"),
    BUILT_ONCE: ("deploy_code",),
}
_IN_THE_BUILD = ("install_requirements", "collectstatic")


class Ours:
    """A repository whose versions are released to one fleet after the other."""

    def __init__(self, folder: Path) -> None:
        self._site = Site(folder / "site")
        self._environments = 0
        self._environment = ""
        self._last = ""
        self._versions = 2
        for version in ("1", "2"):
            self._commit(version)
            self._publish(version)

    def first_release(self, stage: Stage, way: str) -> None:
        """Make version 1 live by `castoff release`, without the slides' waits."""
        self._environments += 1
        self._environment = f"fleet{self._environments}"
        self._configure(stage, way, scale=0)
        self._castoff("release", "1")
        self._configure(stage, way, scale=stage.scale)

    def release(self, way: str, scale: float) -> str:
        """Make a new version live and return it; where it is built once, that is part of it."""
        if way == STEPS_ON_HOSTS:
            self._last = self._castoff("release", "2", "--json")
            return "2"
        self._versions += 1
        version = str(self._versions)
        self._commit(version)
        time.sleep(sum(SECONDS[name] for name in _IN_THE_BUILD) * scale)
        self._publish(version)
        self._last = self._castoff("release", version, "--json")
        return version

    def begun(self) -> list[tuple[float, str, str]]:
        """Return when each step of the last release began, where, and its name."""
        return [
            (step["started"], host["name"], step["name"])
            for host in json.loads(self._last)["hosts"]
            for step in host["steps"]
        ]

    def _commit(self, version: str) -> None:
        self._site.write({"version": f"{version}\n"})
        if version == "1":
            self._site.write({"castoff.toml": f"[apps.{APP}]\n"})
        self._site.commit(f"version {version}")

    def _publish(self, version: str) -> None:
        self._castoff("build", "--version", version, "--ref", "HEAD", environment=False)
        self._castoff("push", version, environment=False)

    def _castoff(self, *words: str, environment: bool = True) -> str:
        more = ("--env", self._environment) if environment else ()
        outcome = self._site.castoff(*words, *more)
        if outcome.code:
            raise RuntimeError(f"castoff {' '.join(words)}: {outcome.err}")
        return outcome.out

    def _configure(self, stage: Stage, way: str, scale: float) -> None:
        place = Place(
            app="$CASTOFF_ROOT",
            database=f"{stage.hosts[0].address} {stage.database_port}",
            pid="$SERVER_PID",
            scale=scale,
        )
        version = "$CASTOFF_VERSION"
        steps = [(name, "prepare", waiting(name, scale)) for name in _PREPARE[way]]
        steps += [
            (name, moment, command(name, place, version))
            for name, moment in (
                ("backup_database", "backup"),
                ("migrate_database", "once"),
                ("reload_server", "activate"),
            )
        ]
        # A JSON string is a TOML one as well.
        tables = [
            f"[[environments.{self._environment}.steps]]\n"
            f'name = "{name.replace("_", "-")}"\nmoment = "{moment}"\n'
            f"command = {json.dumps(text)}\n"
            for name, moment, text in steps
        ]
        text = f"""
[apps.{APP}]
build = {{ exclude = ["castoff.toml"] }}
[environments.{self._environment}]
known_hosts = "{stage.fleet.known_hosts}"
{self._hosts(stage)}
{"".join(tables)}
[[environments.{self._environment}.steps]]
name = "health"
moment = "after_activate"
[environments.{self._environment}.steps.http]
url = "http://127.0.0.1:{{PORT}}/"
contains = "version {{version}},"
interval = 0.05
"""
        self._site.write({"castoff.toml": text})

    def _hosts(self, stage: Stage) -> str:
        """Return the hosts' tables, each with what only that host has."""
        head = f"[[environments.{self._environment}.hosts]]\n"
        tables = stage.fleet.toml_hosts(self._environment).split(head)[1:]
        lines = []
        for table, host in zip(tables, stage.hosts, strict=True):
            port, pid = stage.ports[host.name], stage.place(host).pid
            lines.append(
                f'{head}{table.strip()}\nenv = {{ PORT = "{port}", SERVER_PID = "{pid}" }}\n'
            )
        return "".join(lines)
