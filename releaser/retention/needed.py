"""Which versions somebody may still want from the store, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from castoff.releaser.retention.lineage import good_versions
from castoff.releaser.retention.look_back import look_back
from castoff.store import channel, keys, pins, run_document
from castoff.store.backend import Store


@dataclass(frozen=True, slots=True)
class Window:
    """How much of an environment's past can be gone back to.

    Attributes:
        keep: Good versions of each environment, the live one among them.
        since: Whatever was released, prepared or rolled back after this stays; seconds since the
            epoch.
    """

    keep: int
    since: float


def needed_versions(
    store: Store, app: str, window: Window, reported: Mapping[str, Iterable[str]]
) -> dict[str, str]:
    """Return the versions that any environment may want, each with the first reason found.

    The environments are those that the store knows of, whether or not castoff.toml still does.

    Args:
        store: Where the app's channels, runs, pins and histories are.
        app: The app.
        window: How far back they count.
        reported: What hosts hold, by their names.

    Raises:
        StoreError: The store cannot be read.
        CorruptArtifact: A document there does not fit its schema.
    """
    found: dict[str, str] = {}
    for environment in sorted(environments(store, app)):
        for version, why in _of_environment(store, app, environment, window):
            found.setdefault(version, why)
    for host, versions in reported.items():
        for version in versions:
            found.setdefault(version, f"on {host}")
    return found


def environments(store: Store, app: str) -> set[str]:
    """Return the environments that the store knows of."""
    prefix = keys.environments(app)
    return {e.key.removeprefix(prefix).partition("/")[0] for e in store.entries(prefix)}


def _of_environment(
    store: Store, app: str, environment: str, window: Window
) -> Iterator[tuple[str, str]]:
    for version, why in (
        *_pointed_to(store, app, environment),
        *((pin.version, "pinned in") for pin in pins.pinned(store, app, environment)),
    ):
        if version is not None:
            yield version, f"{why} {environment}"
    runs = look_back(store, app, environment, good=window.keep, since=window.since)
    for version in good_versions(reversed(runs))[-window.keep :]:
        yield version, f"one of the last {window.keep} good ones of {environment}"
    recent = [entry for entry in runs if entry.ended >= window.since]
    for either in (name for entry in recent for name in (entry.version, entry.from_version)):
        if either is not None:
            yield either, f"in the recent history of {environment}"


def _pointed_to(store: Store, app: str, environment: str) -> Iterator[tuple[str | None, str]]:
    pointer = channel.read(store, app, environment)
    if pointer is not None:
        yield pointer[0].current, "live in"
        yield pointer[0].previous, "good before what is live in"
    run = run_document.read(store, app, environment)
    if run is not None and not run[0].over:
        yield run[0].version, "on its way to"
        yield run[0].from_version, "what an unfinished run may go back to in"
