"""What is said about a version and lies beside its manifest: signature, SBOM, provenance, assets.

None of these is a commit point. They are written before the manifest, so that nobody ever sees a
signed version without its signature, and once more looked at by whoever created the manifest:
another who pushed the same version at that moment and lost may have left theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from castoff.store import asset_list, keys, names, signature
from castoff.store.backend import Store
from castoff.store.beside import write_beside
from castoff.store.errors import Conflict, ObjectMissing, StoreError
from castoff.store.filetable import FileTable
from castoff.store.local_artifact import LocalArtifact

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Companion:
    """A document about a version: what it is, where it goes in the store, and its bytes."""

    name: str
    key: str
    data: bytes


def signature_path(artifact: LocalArtifact) -> Path:
    """Return where the signature of an artifact's manifest lies, or would."""
    manifest = artifact.manifest
    return artifact.archive.with_name(names.local_signature(manifest.app, manifest.version))


def sign_local(artifact: LocalArtifact, key: Path) -> Path:
    """Sign an artifact's manifest; return the signature's file, in place of any there was.

    Raises:
        SigningFailed: ssh-keygen cannot sign with the key.
        StoreError: The file cannot be written.
    """
    path = signature_path(artifact)
    signed = signature.sign(artifact.manifest_bytes, key)
    write_beside(path, signed)
    return path


def local_companions(artifact: LocalArtifact) -> tuple[Companion, ...]:
    """Return those that lie beside an artifact.

    Raises:
        Untrusted: The signature is not one of the manifest.
        StoreError: One cannot be read.
    """
    app, version = artifact.manifest.app, artifact.manifest.version
    folder = artifact.archive.parent
    found = []
    for name, file, key in (
        ("signature", names.local_signature, keys.signature),
        ("sbom", names.local_sbom, keys.sbom),
        ("provenance", names.local_provenance, keys.provenance),
    ):
        path = folder / file(app, version)
        try:
            found.append(Companion(name, key(app, version), path.read_bytes()))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}") from error
        if name == "signature":
            signature.check(artifact.manifest_bytes, found[-1].data, what=str(path))
    return tuple(found)


def asset_companion(artifact: LocalArtifact, table: FileTable) -> tuple[Companion, ...]:
    """Return the list of an artifact's assets; nothing where it has none.

    Raises:
        CorruptArtifact: The archive does not hold what its table says.
        StoreError: It cannot be read.
    """
    entry = asset_list.entry_of(table)
    if entry is None:
        return ()
    try:
        data = asset_list.of_archive(artifact.archive, table, entry)
    except OSError as error:
        raise StoreError(f"{artifact.archive}: {error.strerror}") from error
    return (Companion("assets", asset_list.key_of(artifact.manifest, entry), data),)


def offer(store: Store, companions: Sequence[Companion]) -> tuple[str, ...]:
    """Write those that are not in the store yet; return their names.

    Raises:
        StoreError: The store cannot be written.
    """
    written = []
    for companion in companions:
        try:
            store.create(companion.key, companion.data)
        except Conflict:
            continue
        written.append(companion.name)
    return tuple(written)


def complete(store: Store, companions: Sequence[Companion]) -> tuple[str, ...]:
    """See that each is in the store with just these bytes; return the names of those that changed.

    Only for a version whose manifest in the store is known to be the one here.

    Raises:
        StoreError: The store cannot be read or written.
    """
    return tuple(companion.name for companion in companions if _settle(store, companion))


def _settle(store: Store, companion: Companion) -> bool:
    for _ in range(_TRIES):
        try:
            there = store.read(companion.key)
            if there.data == companion.data:
                return False
            store.replace(companion.key, companion.data, etag=there.etag)
        except ObjectMissing:
            if not offer(store, [companion]):
                continue
        except Conflict:
            continue
        return True
    raise StoreError(
        f"{store.url}/{companion.key}: somebody else writes it at the same time",
        hint="Push again when they are done.",
    )
