"""A version out of a store: all that belongs to it, as files beside each other."""

from __future__ import annotations

from pathlib import Path

from castoff.store import artifacts, keys, names
from castoff.store.backend import Progress, Store
from castoff.store.beside import write_beside
from castoff.store.errors import ObjectMissing, StoreError
from castoff.store.local_artifact import LocalArtifact, load_local, verify_local


def take(
    store: Store,
    app: str,
    version: str,
    folder: Path,
    *,
    signers: Path | None = None,
    progress: Progress | None = None,
) -> LocalArtifact:
    """Write a version's files into a folder, under the names that a build gives them.

    Args:
        store: Where from.
        app: The app.
        version: The version.
        folder: Where to; it exists.
        signers: An allowed signers file, one of whom must have signed it; None to not ask.
        progress: Called with the number of bytes just received.

    Returns:
        The artifact; every digest in it has been checked.

    Raises:
        UnknownVersion: The store does not have it.
        Untrusted: It is not signed by one of the signers.
        CorruptArtifact: Something of it does not match its digest, or is missing.
        StoreError: The store cannot be read, or the folder cannot be written.
    """
    manifest, data = artifacts.fetch_manifest(store, app, version, signers=signers)
    write_beside(folder / names.local_manifest(app, version), data)
    for blob, name in (
        (manifest.archive, names.local_archive(app, version, manifest.format)),
        (manifest.table, names.local_table(app, version)),
    ):
        key = keys.blob(app, version, blob.name)
        try:
            store.download(key, folder / name, sha256=blob.sha256, progress=progress)
        except OSError as error:
            raise StoreError(f"{folder / name}: {error.strerror}") from error
    for key, name in (
        (keys.signature(app, version), names.local_signature(app, version)),
        (keys.sbom(app, version), names.local_sbom(app, version)),
        (keys.provenance(app, version), names.local_provenance(app, version)),
    ):
        try:
            write_beside(folder / name, store.read(key).data)
        except ObjectMissing:
            continue  # it has none
    artifact = load_local(folder, app, version)
    verify_local(artifact)
    return artifact
