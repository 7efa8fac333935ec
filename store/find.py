"""A version to look at, wherever it lies: what commands that only ask questions work on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from castoff.store import artifacts, keys
from castoff.store.backend import Store
from castoff.store.companions import signature_path
from castoff.store.errors import StoreError
from castoff.store.filetable import FileTable
from castoff.store.local_artifact import LocalArtifact, open_table
from castoff.store.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Found:
    """A version, its documents read and checked against each other.

    Attributes:
        origin: Where it was found, for people.
        archive: The archive, if it lies on this machine; it has not been checked.
        signature: The manifest's, if it is signed; it has not been checked.
    """

    origin: str
    manifest: Manifest
    manifest_bytes: bytes
    table: FileTable
    archive: Path | None
    signature: bytes | None


def found_here(artifact: LocalArtifact) -> Found:
    """Return an artifact that lies on this machine.

    Raises:
        CorruptArtifact: Its file table is not the one that its manifest names.
        StoreError: It cannot be read.
    """
    path = signature_path(artifact)
    try:
        gzipped = artifact.table.read_bytes()
        signature = path.read_bytes() if path.is_file() else None
    except OSError as error:
        raise StoreError(f"{error.filename}: {error.strerror}") from error
    return Found(
        origin=str(artifact.archive),
        manifest=artifact.manifest,
        manifest_bytes=artifact.manifest_bytes,
        table=open_table(gzipped, artifact.manifest, origin=str(artifact.table)),
        archive=artifact.archive,
        signature=signature,
    )


def found_in(store: Store, app: str, version: str) -> Found:
    """Return a version of a store.

    Raises:
        UsageError, UnknownVersion, CorruptArtifact, StoreError: As `artifacts.fetch_manifest`
            and `artifacts.fetch_table`.
    """
    manifest, data = artifacts.fetch_manifest(store, app, version)
    table, _ = artifacts.fetch_table(store, manifest)
    return Found(
        origin=store.url,
        manifest=manifest,
        manifest_bytes=data,
        table=table,
        archive=store.local_path(keys.blob(app, version, manifest.archive.name)),
        signature=artifacts.fetch_signature(store, app, version),
    )
