"""An environment whose releases may go on without a host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from castoff.releaser.converge import converging
from castoff.releaser.job import Kind, Scope
from castoff.releaser.release import resolve, run
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import history, quarantine
from support.local_scope import make_scope
from support.memory_fleet import Fault, MemoryFleet

APART: dict[str, Any] = {"policy": "quarantine", "quorum": "2"}


class Ground:
    """Three hosts in memory, version 1 live on all, and hosts that can be taken down."""

    def __init__(self, folder: Path, steps: list[dict[str, Any]], **environment: Any) -> None:
        self.scope = make_scope(folder, steps, **{"stragglers": APART, **environment})
        self.fleet = MemoryFleet()
        self.run("release", "1")

    def run(self, kind: Kind, version: str, *down: str, fault: Fault | None = None) -> Timeline:
        timeline = Timeline(Silent())
        self.fleet.down, self.fleet.fault = set(down), fault
        try:
            run(resolve(self.scope, kind, version), timeline, connect=self.fleet.connect)
        finally:
            self.calm()
        return timeline

    def converge(self, *hosts: str, down: tuple[str, ...] = ()) -> Timeline | None:
        timeline = Timeline(Silent())
        self.fleet.down = set(down)
        job = converging(self.scope, hosts, connect=self.fleet.connect)
        try:
            if job is None:
                return None
            run(job, timeline, connect=self.fleet.connect)
        finally:
            self.calm()
        return timeline

    def calm(self) -> None:
        self.fleet.fault = None
        self.fleet.hang_up()

    def apart(self) -> dict[str, quarantine.Quarantined]:
        return apart(self.scope)


def apart(scope: Scope) -> dict[str, quarantine.Quarantined]:
    seen = quarantine.read(scope.store, scope.app, scope.environment_name)
    return {} if seen is None else {one.host: one for one in seen[0].hosts}


def newest(scope: Scope) -> history.Entry:
    return history.entries(scope.store, scope.app, scope.environment_name, limit=1)[0]
