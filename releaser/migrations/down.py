"""Take migrations back with the code that knows them, before hosts return to older code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from castoff.config.model import Step
from castoff.releaser.errors import HostError, Incompatible, NotActivated
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.migrations.crossing import Crossing, knows_all
from castoff.releaser.migrations.ledger import Ledger
from castoff.releaser.migrations.up import attempt, running_elsewhere
from castoff.releaser.run import run_step
from castoff.releaser.run_log import RunLog
from castoff.releaser.steps import leader, steps_at
from castoff.releaser.timeline import Timeline
from castoff.store.errors import UsageError
from castoff.store.manifest import Manifest
from castoff.store.migrations import AppMigrations, Migration, Tool, irreversible

_NOTHING_DONE = "Nothing was changed. The data of before, without those: --to-backup latest."


@dataclass(frozen=True, slots=True)
class Down:
    """What is to be taken back.

    Attributes:
        version: The version whose code does it.
        gone: The migrations.
        targets: For each tool, each app and its last migration that stays.
    """

    version: str
    gone: tuple[Migration, ...]
    targets: dict[Tool, tuple[tuple[str, str], ...]]


def plan_down(job: Job, crossing: Crossing) -> Down | None:
    """Return what a rollback has to take back, so that the schema is as its version made it.

    Returns:
        None if there is nothing.

    Raises:
        Incompatible: Something cannot be taken back.
        UsageError: There is no step that could.
    """
    gone = crossing.crossed
    if not gone:
        return None
    stuck = irreversible(gone)
    if stuck:
        lines = "\n".join(f"  {one.text}: {one.note.irreversible}" for one in stuck)
        raise Incompatible(f"these migrations cannot be taken back:\n{lines}", hint=_NOTHING_DONE)
    knowing = next((one for one in crossing.knowing if knows_all(one, gone)), None)
    if knowing is None:
        raise Incompatible(
            "no one version knows all migrations that would have to be taken back: "
            + ", ".join(one.text for one in gone),
            hint=_NOTHING_DONE,
        )
    targets = {
        tool: tuple(_targets(tool, gone, knowing, job.manifest))
        for tool in sorted({one.tool for one in gone})
    }
    for tool in targets:
        if not any(_does(step, tool) for step in _steps(job)):
            raise UsageError(
                f"{job.environment_name} has no step that takes back migrations of {tool}",
                hint="Add one with a table `migrate`: its preset, or a command with `down`.",
            )
    return Down(knowing.version, gone, targets)


def take_back(job: Job, fleet: Fleet, timeline: Timeline, log: RunLog, down: Down) -> None:
    """Run the steps that take migrations back, the last one first, each on its leader.

    Raises:
        NotActivated: One failed; no host was flipped.
        StoreError: The store cannot be written, or another controller has taken over.
    """
    for step in reversed(_steps(job)):
        host = leader(step, job.hosts)
        asked = {
            "version": job.version,
            "targets": [
                {"app": app, "name": name}
                for tool, targets in down.targets.items()
                if _does(step, tool)
                for app, name in targets
            ],
            "gone": [_name(one) for one in down.gone],
        }
        if host is None or step.name in log.done or not asked["targets"]:
            continue
        timeline.irreversible()
        ledger = Ledger(job.scope)
        try:
            if (other := ledger.elsewhere(host)) is not None:
                raise running_elsewhere(host, other)
            entry = ledger.begin(job, step, host, down.version, token=log.token)
            more = {"attempt": entry.attempt, "after": None, "ask_first": False, "take_back": asked}
            attempt(
                ledger,
                entry,
                lambda more=more, step=step, host=host: run_step(  # type: ignore[misc]
                    job, fleet, timeline, step, host, down.version, more
                ),
                well="reversed",
            )
        except HostError as failure:
            raise NotActivated(
                f"nothing was activated: step {step.name!r} could not take migrations back",
                [failure],
                hint=failure.hint
                or f"See its output above. {down.version} serves on, and may lack some of its "
                f"migrations: mend it and roll back again, or castoff release {down.version}.",
            ) from failure
        log.finish_step(step.name)
    Ledger(job.scope).reverse_all_but(job.version)


def _targets(
    tool: Tool, gone: tuple[Migration, ...], knowing: Manifest, staying: Manifest
) -> Iterable[tuple[str, str]]:
    for app in sorted({one.app for one in gone if one.tool == tool}):
        stays, goes = _app(staying, tool, app), _app(knowing, tool, app)
        if stays is None or goes is None:
            yield app, "zero" if tool == "django" else "base"
            continue
        # A head that is one still has nothing above it to take back.
        heads = [head for head in stays.heads if head not in goes.heads]
        if any(head not in goes.names for head in heads) or (tool == "django" and len(heads) > 1):
            raise Incompatible(
                f"{knowing.version} cannot take {app} back to {', '.join(heads)}, which it does "
                "not know as such",
                hint=_NOTHING_DONE,
            )
        yield from ((app, head) for head in heads)


def _app(manifest: Manifest, tool: Tool, name: str) -> AppMigrations | None:
    return next((a for a in manifest.migrations if (a.tool, a.app) == (tool, name)), None)


def _steps(job: Job) -> tuple[Step, ...]:
    return tuple(step for step in steps_at(job, "once") if step.migrate is not None)


def _does(step: Step, tool: Tool) -> bool:
    table = step.migrate
    return table is not None and (table.tool == tool or table.down is not None)


def _name(one: Migration) -> str:
    return one.id if one.tool == "django" else one.name
