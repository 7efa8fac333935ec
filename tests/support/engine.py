"""Run the engine on a scope of `support.local_scope`, and see what hosts and history show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from castoff.releaser.job import Kind, Scope
from castoff.releaser.release import resolve, run
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import channel, history
from support.local_scope import make_scope
from support.memory_fleet import Fault, MemoryFleet

RESTART = {
    "name": "restart",
    "moment": "activate",
    "command": 'echo "restart $CASTOFF_VERSION" >> "$CASTOFF_SHARED/log"',
}
MIGRATE = {
    "name": "migrate",
    "moment": "once",
    "command": 'echo "migrate $CASTOFF_VERSION" >> "$CASTOFF_SHARED/log"',
}


class Ears(Silent):
    """A watch that keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def check(condition: str, moment: str = "after_activate", name: str = "check") -> dict[str, Any]:
    """Return a step that fails unless a shell condition holds."""
    return {"name": name, "moment": moment, "command": condition}


def go(scope: Scope, kind: Kind, version: str) -> Timeline:
    timeline = Timeline(Silent())
    run(resolve(scope, kind, version), timeline)
    return timeline


def memory(folder: Path, steps: list[dict[str, Any]], **environment: Any) -> Scope:
    """Return a scope whose first version is live, for hosts in memory."""
    scope = make_scope(folder, steps, **environment)
    faulty(scope, "release", "1")
    return scope


def faulty(scope: Scope, kind: Kind, version: str, fault: Fault | None = None) -> MemoryFleet:
    """Run on hosts in memory, maybe with a fault; return the fleet."""
    fleet = MemoryFleet(fault=fault)
    try:
        run(resolve(scope, kind, version), Timeline(Silent()), connect=fleet.connect)
    finally:
        fleet.fault = None
        fleet.hang_up()
    return fleet


def live(scope: Scope) -> list[str]:
    """Return what each host's link names; `-` for none."""
    links = [Path(host.root) / "current" for host in scope.hosts]
    return [link.readlink().name if link.is_symlink() else "-" for link in links]


def log(scope: Scope, host: int) -> list[str]:
    path = Path(scope.hosts[host].root) / "shared" / "log"
    return path.read_text().splitlines() if path.exists() else []


def outcomes(scope: Scope) -> list[str]:
    entries = history.entries(scope.store, scope.app, scope.environment_name)
    return [f"{entry.kind} {entry.version} {entry.outcome}" for entry in reversed(entries)]


def on_channel(scope: Scope) -> str | None:
    """Return the version that the environment's channel names."""
    seen = channel.read(scope.store, scope.app, scope.environment_name)
    return None if seen is None else seen[0].current
