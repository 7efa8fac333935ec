"""Versions in a store: publish one, find one, list all.

A version is its manifest. The archive and the file table are uploaded first, to keys that hold
their digests, and with them what is said about the version: its signature, its bill of materials,
its provenance. Creating the manifest, one conditional write, publishes them all at once, and
nothing can be published under that version again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from castoff.store import keys, signature
from castoff.store.backend import Progress, Store
from castoff.store.companions import (
    Companion,
    asset_companion,
    complete,
    local_companions,
    offer,
)
from castoff.store.digest import sha256
from castoff.store.errors import (
    Conflict,
    CorruptArtifact,
    ImmutableVersion,
    ObjectMissing,
    UnknownVersion,
    Untrusted,
)
from castoff.store.filetable import FileTable
from castoff.store.listing import manifests
from castoff.store.local_artifact import (
    LocalArtifact,
    check_names,
    load_local,
    near,
    open_document,
    open_table,
    verify_local,
)
from castoff.store.manifest import Manifest
from castoff.store.manifest import parse as parse_manifest
from castoff.store.version import check_version

__all__ = [
    "LocalArtifact",
    "Pushed",
    "check_free",
    "fetch_manifest",
    "fetch_signature",
    "fetch_table",
    "fetch_table_document",
    "load_local",
    "push",
    "verify_local",
]


@dataclass(frozen=True, slots=True)
class Pushed:
    """What came of a push.

    Attributes:
        created: False if the same bytes were in the store already.
        added: What beside the archive, the table and the manifest is new in the store, or new
            there in this form: `signature`, `sbom`, `provenance`, `assets` (the list of them).
    """

    created: bool
    added: tuple[str, ...] = ()


def push(store: Store, artifact: LocalArtifact, progress: Progress | None = None) -> Pushed:
    """Publish a version, with the signature and the attestations that lie beside it.

    What is said about a version may come later than the version: if its manifest is in the store
    already, with the same bytes, what lies beside it here is added or replaces what is there.

    Args:
        store: Where to.
        artifact: What `load_local` found; all its digests are checked before anything is sent.
        progress: Called with the number of bytes just sent.

    Raises:
        ImmutableVersion: The store has the version with other bytes.
        CorruptArtifact: A file does not match its digest.
        Untrusted: The signature here is not one of this manifest.
        StoreError: The store cannot be read or written; nothing is published.
    """
    manifest = artifact.manifest
    app, version = manifest.app, manifest.version
    key = keys.manifest(app, version)
    # Before anything is said of it: "the same bytes" is a claim about the files, too.
    table = verify_local(artifact)
    beside = (*local_companions(artifact), *asset_companion(artifact, table))
    try:
        return _add_to(store, artifact, store.read(key).data, beside)
    except ObjectMissing:
        pass
    for path, blob in ((artifact.archive, manifest.archive), (artifact.table, manifest.table)):
        target = keys.blob(app, version, blob.name)
        store.upload(target, path, sha256=blob.sha256, progress=progress)
    added = offer(store, beside)
    try:
        store.create(key, artifact.manifest_bytes)
    except Conflict:
        return _add_to(store, artifact, store.read(key).data, beside)
    completed = complete(store, beside)
    return Pushed(created=True, added=tuple(dict.fromkeys(added + completed)))


def check_free(store: Store, artifact: LocalArtifact) -> None:
    """Return if the store does not have the version, or has it with the same bytes.

    Raises:
        ImmutableVersion: It has it with other bytes.
        StoreError: The store cannot be read.
    """
    try:
        there = store.read(keys.manifest(artifact.manifest.app, artifact.manifest.version)).data
    except ObjectMissing:
        return
    _compare(store, artifact, there)


def fetch_manifest(
    store: Store, app: str, version: str, *, signers: Path | None = None
) -> tuple[Manifest, bytes]:
    """Return a version's manifest, read and as it is stored.

    Args:
        store: Where from.
        app: The app.
        version: The version.
        signers: An allowed signers file: one of them must have signed the manifest, which is
            checked before anything in it is read. None to read it unchecked.

    Raises:
        UsageError: `version` could not be one.
        UnknownVersion: The store does not have it.
        Untrusted: It is not signed, or not by somebody whose signature counts.
        CorruptArtifact: The document does not fit its schema, or is of another version.
        StoreError: The store cannot be read.
    """
    key = keys.manifest(app, check_version(version))
    origin = f"{store.url}/{key}"
    try:
        data = store.read(key).data
    except ObjectMissing:
        there = [known for known, _ in manifests(store, app)]
        listed = "" if there else f"; no version of {app} is"
        raise UnknownVersion(
            f"{app} {version} is not in {store.url}{listed}",
            hint=f"{near(version, there)}`castoff versions` lists what is there; "
            f"castoff push {version} puts it there once it is built.",
        ) from None
    if signers is not None:
        _check_signature(store, app, version, data, signers)
    manifest = parse_manifest(data, origin=origin)
    check_names(manifest, app, version, origin=origin)
    return manifest, data


def fetch_signature(store: Store, app: str, version: str) -> bytes | None:
    """Return the signature of a version's manifest, or None if it is not signed.

    Raises:
        StoreError: The store cannot be read.
    """
    try:
        return store.read(keys.signature(app, version)).data
    except ObjectMissing:
        return None


def fetch_table(store: Store, manifest: Manifest) -> tuple[FileTable, bytes]:
    """Return a version's file table, read and as it is stored (gzipped).

    Raises:
        CorruptArtifact: The store has another under that name, or none.
        StoreError: The store cannot be read.
    """
    gzipped, origin = _gzipped_table(store, manifest)
    return open_table(gzipped, manifest, origin=origin), gzipped


def fetch_table_document(store: Store, manifest: Manifest) -> tuple[bytes, bytes]:
    """Return the document of a version's file table, unread, and as it is stored (gzipped).

    Raises:
        CorruptArtifact: The store has another under that name, or none.
        StoreError: The store cannot be read.
    """
    gzipped, origin = _gzipped_table(store, manifest)
    return open_document(gzipped, manifest, origin=origin), gzipped


def _gzipped_table(store: Store, manifest: Manifest) -> tuple[bytes, str]:
    key = keys.blob(manifest.app, manifest.version, manifest.table.name)
    origin = f"{store.url}/{key}"
    try:
        return store.read(key).data, origin
    except ObjectMissing as error:
        raise CorruptArtifact(
            f"{origin}: is missing, though its manifest is there",
            hint="Somebody removed it from the store; versions there must not be touched.",
        ) from error


def _check_signature(store: Store, app: str, version: str, data: bytes, signers: Path) -> None:
    found = fetch_signature(store, app, version)
    if found is None:
        raise Untrusted(
            f"{app} {version} in {store.url} is not signed",
            hint=f"If it is what it should be: castoff sign {version}, then castoff push {version}",
        )
    signature.verify(data, found, signers, what=f"{app} {version} in {store.url}")


def _add_to(
    store: Store, artifact: LocalArtifact, there: bytes, beside: Sequence[Companion]
) -> Pushed:
    """Compare the manifest that is in the store; if it is the same, see that nothing is missing."""
    _compare(store, artifact, there)
    return Pushed(created=False, added=complete(store, beside))


def _compare(store: Store, artifact: LocalArtifact, there: bytes) -> None:
    here = artifact.manifest_bytes
    if there == here:
        return
    manifest = artifact.manifest
    origin = f"{store.url}/{keys.manifest(manifest.app, manifest.version)}"
    other = parse_manifest(there, origin=origin)
    same = "the same" if other.tree_sha256 == manifest.tree_sha256 else "another"
    raise ImmutableVersion(
        f"{manifest.app} {manifest.version} is in {store.url} with other bytes: its manifest has "
        f"SHA-256 {sha256(there)} there, {sha256(here)} here ({same} tree)",
        hint="A version never changes once it is pushed: build under a new version.",
    )
