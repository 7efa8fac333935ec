"""The versions in a store, and which of them are live: what a list needs, and no more.

Nothing is decided by a list, so documents are read for these few fields alone. One that lacks them
is read once more by its whole schema, which says what is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from castoff.store import keys
from castoff.store.backend import Store
from castoff.store.errors import ObjectMissing
from castoff.store.gather import read_many

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One version in a store, for a list.

    Attributes:
        built: The manifest's source time, seconds since the epoch.
        size: The archive's, bytes.
    """

    version: str
    built: int
    commit: str
    format: str
    size: int


def versions(store: Store, app: str) -> list[VersionInfo]:
    """Return all versions of an app in the store, newest first by build time.

    Raises:
        CorruptArtifact: A manifest does not fit its schema.
        StoreError: The store cannot be read.
    """
    documents = read_many(store, [key for _, key in manifests(store, app)])
    found = [_info(data, origin=f"{store.url}/{key}") for key, data in documents]
    return sorted(found, key=lambda info: (info.built, info.version), reverse=True)


def live(store: Store, app: str, environments: Collection[str]) -> dict[str, list[str]]:
    """Return each version that is live, with the environments that it is live in.

    Raises:
        CorruptArtifact: A channel does not fit its schema.
        StoreError: The store cannot be read.
    """
    found: dict[str, list[str]] = {}
    for environment in environments:
        version = _current(store, app, environment)
        if version is not None:
            found.setdefault(version, []).append(environment)
    return found


def manifests(store: Store, app: str) -> list[tuple[str, str]]:
    """Return the app's versions with the keys of their manifests.

    Raises:
        StoreError: The store cannot be read.
    """
    prefix = keys.artifacts(app)
    found = []
    for entry in store.entries(prefix):
        version = entry.key.removeprefix(prefix).partition("/")[0]
        if entry.key == keys.manifest(app, version):
            found.append((version, entry.key))
    return found


def _info(data: bytes, *, origin: str) -> VersionInfo:
    document = _object(data)
    source, archive = document.get("source"), document.get("archive")
    if isinstance(source, dict) and isinstance(archive, dict):
        texts: list[Any] = [document.get("version"), source.get("commit"), document.get("format")]
        numbers: list[Any] = [source.get("time"), archive.get("size")]
        if _all(texts, str) and _all(numbers, int):
            version, commit, kind = texts
            built, size = numbers
            return VersionInfo(version, built, commit, kind, size)
    from castoff.store.manifest import parse

    manifest = parse(data, origin=origin)
    return VersionInfo(
        manifest.version,
        manifest.source.time,
        manifest.source.commit,
        manifest.format,
        manifest.archive.size,
    )


def _current(store: Store, app: str, environment: str) -> str | None:
    try:
        data = store.read(keys.channel(app, environment)).data
    except ObjectMissing:
        return None
    current = _object(data).get("current")
    if isinstance(current, str):
        return current
    from castoff.store import channel

    pointer = channel.read(store, app, environment)
    return None if pointer is None else pointer[0].current


def _object(data: bytes) -> dict[str, Any]:
    """Return a document of the schema that this reads, or nothing of another."""
    try:
        document = json.loads(data)
    except ValueError:
        return {}
    known = isinstance(document, dict) and document.get("schema") == _SCHEMA
    return document if known else {}


def _all(values: list[Any], kind: type) -> bool:
    # By the very type: true is an int too.
    return all(type(value) is kind for value in values)
