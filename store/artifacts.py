"""Versions in a store: publish one, find one, list all.

A version is its manifest. The archive and the file table are uploaded first, to keys that hold
their digests; creating the manifest, one conditional write, publishes them all at once, and
nothing can be published under that version again.
"""

from __future__ import annotations

from dataclasses import dataclass

from castoff.store import keys
from castoff.store.backend import Progress, Store
from castoff.store.digest import sha256
from castoff.store.errors import (
    Conflict,
    CorruptArtifact,
    ImmutableVersion,
    ObjectMissing,
    UnknownVersion,
)
from castoff.store.filetable import FileTable
from castoff.store.gather import read_many
from castoff.store.local_artifact import (
    LocalArtifact,
    check_names,
    load_local,
    near,
    open_table,
    verify_local,
)
from castoff.store.manifest import Manifest
from castoff.store.manifest import parse as parse_manifest
from castoff.store.version import check_version

__all__ = [
    "LocalArtifact",
    "Pushed",
    "VersionInfo",
    "fetch_manifest",
    "fetch_table",
    "load_local",
    "push",
    "verify_local",
    "versions",
]


@dataclass(frozen=True, slots=True)
class Pushed:
    """What came of a push.

    Attributes:
        created: False if the same bytes were in the store already.
    """

    created: bool


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
    ref: str
    format: str
    size: int
    tree_sha256: str


def push(store: Store, artifact: LocalArtifact, progress: Progress | None = None) -> Pushed:
    """Publish a version.

    Args:
        store: Where to.
        artifact: What `load_local` found; all its digests are checked before anything is sent.
        progress: Called with the number of bytes just sent.

    Raises:
        ImmutableVersion: The store has the version with other bytes.
        CorruptArtifact: A file does not match its digest.
        StoreError: The store cannot be read or written; nothing is published.
    """
    manifest = artifact.manifest
    app, version = manifest.app, manifest.version
    key = keys.manifest(app, version)
    try:
        return _compare(store, artifact, store.read(key).data)
    except ObjectMissing:
        verify_local(artifact)
    for path, blob in ((artifact.archive, manifest.archive), (artifact.table, manifest.table)):
        target = keys.blob(app, version, blob.name)
        store.upload(target, path, sha256=blob.sha256, progress=progress)
    try:
        store.create(key, artifact.manifest_bytes)
    except Conflict:
        return _compare(store, artifact, store.read(key).data)
    return Pushed(created=True)


def fetch_manifest(store: Store, app: str, version: str) -> tuple[Manifest, bytes]:
    """Return a version's manifest, read and as it is stored.

    Raises:
        UsageError: `version` could not be one.
        UnknownVersion: The store does not have it.
        CorruptArtifact: The document does not fit its schema, or is of another version.
        StoreError: The store cannot be read.
    """
    key = keys.manifest(app, check_version(version))
    origin = f"{store.url}/{key}"
    try:
        data = store.read(key).data
    except ObjectMissing:
        there = [known for known, _ in _manifests(store, app)]
        listed = "" if there else f"; no version of {app} is"
        raise UnknownVersion(
            f"{app} {version} is not in {store.url}{listed}",
            hint=f"{near(version, there)}`castoff versions` lists what is there; "
            f"castoff push {version} puts it there once it is built.",
        ) from None
    manifest = parse_manifest(data, origin=origin)
    check_names(manifest, app, version, origin=origin)
    return manifest, data


def fetch_table(store: Store, manifest: Manifest) -> tuple[FileTable, bytes]:
    """Return a version's file table, read and as it is stored (gzipped).

    Raises:
        CorruptArtifact: The store has another under that name, or none.
        StoreError: The store cannot be read.
    """
    key = keys.blob(manifest.app, manifest.version, manifest.table.name)
    try:
        gzipped = store.read(key).data
    except ObjectMissing as error:
        raise CorruptArtifact(
            f"{store.url}/{key}: is missing, though its manifest is there",
            hint="Somebody removed it from the store; versions there must not be touched.",
        ) from error
    return open_table(gzipped, manifest, origin=f"{store.url}/{key}"), gzipped


def versions(store: Store, app: str) -> list[VersionInfo]:
    """Return all versions of an app in the store, newest first by build time.

    Raises:
        CorruptArtifact: A manifest does not fit its schema.
        StoreError: The store cannot be read.
    """
    documents = read_many(store, [key for _, key in _manifests(store, app)])
    found = [parse_manifest(data, origin=f"{store.url}/{key}") for key, data in documents]
    return [
        VersionInfo(
            version=manifest.version,
            built=manifest.source.time,
            commit=manifest.source.commit,
            ref=manifest.source.ref,
            format=manifest.format,
            size=manifest.archive.size,
            tree_sha256=manifest.tree_sha256,
        )
        for manifest in sorted(found, key=lambda m: (m.source.time, m.version), reverse=True)
    ]


def _manifests(store: Store, app: str) -> list[tuple[str, str]]:
    """Return the app's versions with the keys of their manifests."""
    prefix = keys.artifacts(app)
    found = []
    for entry in store.entries(prefix):
        version = entry.key.removeprefix(prefix).partition("/")[0]
        if entry.key == keys.manifest(app, version):
            found.append((version, entry.key))
    return found


def _compare(store: Store, artifact: LocalArtifact, there: bytes) -> Pushed:
    here = artifact.manifest_bytes
    if there == here:
        return Pushed(created=False)
    manifest = artifact.manifest
    origin = f"{store.url}/{keys.manifest(manifest.app, manifest.version)}"
    other = parse_manifest(there, origin=origin)
    same = "the same" if other.tree_sha256 == manifest.tree_sha256 else "another"
    raise ImmutableVersion(
        f"{manifest.app} {manifest.version} is in {store.url} with other bytes: its manifest has "
        f"SHA-256 {sha256(there)} there, {sha256(here)} here ({same} tree)",
        hint="A version never changes once it is pushed: build under a new version.",
    )
