"""What a run was about to do on each host, as the history keeps it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from castoff.store.document import StoredDocument


class PlannedStep(StoredDocument):
    """One step of the configuration, and when it was to run."""

    moment: str
    name: str


class PlannedOnce(PlannedStep):
    """A step that was to run once, and on which host."""

    leader: str


class PlannedHost(StoredDocument):
    """One host.

    Attributes:
        serves: The version that it served; None for nothing.
        fetch: Bytes that it was to fetch at most, those of the whole archive; 0 where the release
            lay there already.
        batch: In which group it was to flip, from 1; 0 where nothing was to flip.
        steps: What it was to run, in this order.
    """

    name: str
    serves: str | None
    fetch: Annotated[int, Field(ge=0)]
    batch: Annotated[int, Field(ge=0)]
    steps: tuple[PlannedStep, ...]


class Planned(StoredDocument):
    """The whole.

    Attributes:
        hosts: Those that answered.
        once: Steps that were to run before any host flipped.
        shared: Paths that each host was to link into its `shared/`.
    """

    hosts: tuple[PlannedHost, ...]
    once: tuple[PlannedOnce, ...] = ()
    shared: tuple[str, ...] = ()
