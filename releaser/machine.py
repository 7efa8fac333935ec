"""The release as a state machine: its phases, and where each one leads; no I/O.

`release.py` walks this table, `resume.py` asks it how to go on with an interrupted run, the tests
try every row, and docs/explanation/how-a-release-works.md shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from castoff.releaser.job import Kind


class Phase(str, Enum):
    """Where a run is; the value is what people read and what is stored."""

    PREFLIGHT = "preflight"
    PREPARE = "prepare"
    ASSETS = "assets"
    BACKUP = "back-up"
    MIGRATE = "migrate"
    RESTORE = "restore"
    IDLE = "start idle"
    GATE = "gate"
    FLIP = "activate"
    CHECK = "restart"
    PUBLISH = "publish"
    RECORD = "record"
    GO_BACK = "go back"

    PREPARED = "prepared"
    RELEASED = "released"
    FAILED = "failed"
    ROLLED_BACK = "rolled back"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Row:
    """What a phase does, and what comes after it.

    Attributes:
        does: In a few words.
        ok: The next phase if it succeeds.
        fail: The next phase if it fails or is interrupted.
    """

    does: str
    ok: Phase
    fail: Phase


TABLE: dict[Phase, Row] = {
    Phase.PREFLIGHT: Row(
        "reach every host, take its lock, learn whether it can take the release",
        Phase.PREPARE,
        Phase.FAILED,
    ),
    Phase.PREPARE: Row(
        "every host fetches, checks and unpacks the release; the barrier: all that take part "
        "attest one tree; hosts that are left out go into quarantine",
        Phase.ASSETS,
        Phase.FAILED,
    ),
    Phase.ASSETS: Row(
        "with a CDN or a site alone: bring files there, ask for every asset at its public URL",
        Phase.BACKUP,
        Phase.FAILED,
    ),
    Phase.BACKUP: Row("back-up steps, on their leader", Phase.MIGRATE, Phase.FAILED),
    Phase.MIGRATE: Row(
        "once-only steps, on their leader, with the new code", Phase.RESTORE, Phase.FAILED
    ),
    Phase.RESTORE: Row(
        "rollback to a back-up alone: check back-ups, fill copies, let them take the data's place",
        Phase.IDLE,
        Phase.FAILED,
    ),
    Phase.IDLE: Row(
        "blue-green alone: start the idle instance on every host, wait until all are healthy",
        Phase.FLIP,
        Phase.FAILED,
    ),
    Phase.FLIP: Row("rename the link on every host of the batch", Phase.CHECK, Phase.GO_BACK),
    Phase.CHECK: Row(
        "restart every host of the batch, and wait until all are healthy",
        Phase.PUBLISH,
        Phase.GO_BACK,
    ),
    Phase.GATE: Row(
        "before a further batch: soak, then its check or a person's yes",
        Phase.FLIP,
        Phase.GO_BACK,
    ),
    Phase.PUBLISH: Row(
        "with a site alone: replace the files that keep their names, see that the public sees them",
        Phase.RECORD,
        Phase.GO_BACK,
    ),
    Phase.RECORD: Row(
        "point the channel at the version; every host notes it as good",
        Phase.RELEASED,
        Phase.FAILED,
    ),
    Phase.GO_BACK: Row(
        "every host whose link moved returns to what it called good, restarts, is checked",
        Phase.ROLLED_BACK,
        Phase.MIXED,
    ),
}

ENDS = frozenset(Phase) - frozenset(TABLE)

# Phases that a kind of run has no use for; the run goes on with what comes after them.
SKIPPED: dict[Kind, frozenset[Phase]] = {
    "release": frozenset(),
    "activate": frozenset(),
    "prepare": frozenset(),
    "rollback": frozenset({Phase.BACKUP, Phase.MIGRATE}),
    "converge": frozenset({Phase.BACKUP, Phase.MIGRATE}),
}


@dataclass(frozen=True, slots=True)
class Position:
    """A phase, and which batch of hosts it is about, from 0."""

    phase: Phase
    batch: int = 0


def after(
    position: Position,
    *,
    ok: bool,
    kind: Kind,
    untouched: bool = False,
    batches: int,
    paired: bool = False,
    public: bool = False,
    site: bool = False,
    restores: bool = False,
    down: bool = False,
) -> Position:
    """Return where a run goes from a position.

    Args:
        position: Where it is; not an end.
        ok: Whether the phase there succeeded.
        kind: What is run.
        untouched: Whether the phase failed before it began, and no host has anything to go back
            from.
        batches: How many batches the hosts are flipped in.
        paired: Whether they are flipped to a second instance.
        public: Whether the app's assets are on a CDN.
        site: Whether the run is about the environment's site too.
        restores: Whether back-ups are to be restored.
        down: Whether a rollback takes migrations back, after back-ups of what is there.
    """
    row = TABLE[position.phase]
    if not ok:
        way_back = row.fail is Phase.GO_BACK
        return Position(Phase.FAILED if untouched and way_back else row.fail, position.batch)
    if position.phase is Phase.PREPARE and kind == "prepare":
        return Position(Phase.PREPARED)
    if position.phase is Phase.CHECK and position.batch + 1 < batches:
        return Position(Phase.GATE, position.batch + 1)
    following = row.ok
    absent = {
        Phase.IDLE: not paired,
        Phase.RESTORE: not restores,
        Phase.ASSETS: not (public or site),
        Phase.PUBLISH: not site,
    }
    never = SKIPPED[kind] - ({Phase.BACKUP, Phase.MIGRATE} if down else set())
    skipped = never | {phase for phase, out in absent.items() if out}
    while following in skipped:
        following = TABLE[following].ok
    return Position(following, position.batch)


def past_the_barrier(phase: Phase) -> bool:
    """Return whether giving up in this phase means that hosts have to go back."""
    return phase is Phase.GO_BACK or (phase in TABLE and TABLE[phase].fail is Phase.GO_BACK)
