"""The parts that a reader sees a release in: prepare, activate, and the way back."""

from __future__ import annotations

from typing import Literal

from castoff.releaser.machine import Phase
from castoff.store.history import StepRow

Part = Literal["Prepare", "Activate", "Go back", "Other"]
# How a step is coloured.
Colour = Literal["prepare", "once", "flip", "check", "back"]

_PARTS: dict[str, tuple[Part, Colour]] = {
    Phase.PREFLIGHT.value: ("Prepare", "prepare"),
    Phase.PREPARE.value: ("Prepare", "prepare"),
    Phase.BACKUP.value: ("Prepare", "once"),
    Phase.MIGRATE.value: ("Activate", "once"),
    Phase.IDLE.value: ("Activate", "check"),
    Phase.FLIP.value: ("Activate", "flip"),
    Phase.CHECK.value: ("Activate", "check"),
    Phase.GATE.value: ("Activate", "check"),
    Phase.RECORD.value: ("Activate", "check"),
    Phase.GO_BACK.value: ("Go back", "back"),
}


def part_of(step: StepRow) -> Part:
    """Return the part that a step belongs to; `Other` if its phase is not known."""
    return _PARTS.get(step.phase, ("Other", "check"))[0]


def colour_of(step: StepRow) -> Colour:
    """Return which colour a step has in pictures."""
    return _PARTS.get(step.phase, ("Other", "check"))[1]
