"""The public files of one version: published when it is pushed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from castoff.store import asset_list, companions, condemned
from castoff.store.backend import Store
from castoff.store.local_artifact import LocalArtifact, verify_local
from castoff.store.public.place import Place
from castoff.store.public.send import Progress, missing_at, send


@dataclass(frozen=True, slots=True)
class Published:
    """What came of it.

    Attributes:
        sent: How many files were sent.
        size: Their bytes.
        total: How many files the version has whose names hold digests.
        open_to_others: Whether the place itself gives leave to pages of the wanted origins; True
            where none were.
    """

    sent: int
    size: int
    total: int
    open_to_others: bool


def publish_files(
    store: Store,
    place: Place,
    artifact: LocalArtifact,
    *,
    origins: Sequence[str] = (),
    progress: Progress | None = None,
) -> Published:
    """Make a version's immutable files public; before the version itself is in the store.

    The list of them goes to the store first: the garbage collector keeps what a list there names,
    and `condemned.spare` fetches back what it had its eye on before.

    Args:
        store: Where the version will be.
        place: Where its public files go.
        artifact: The version, as it was built.
        origins: Origins whose pages may use the files.
        progress: Called with the number of bytes just sent.

    Raises:
        CorruptArtifact: The archive does not hold what its table says.
        BeingRemoved: The garbage collector is removing one of the files.
        StoreError: The store or the place cannot be read or written.
    """
    manifest = artifact.manifest
    table = verify_local(artifact)
    for beside in companions.asset_companion(artifact, table):
        origin = str(artifact.archive)
        files = asset_list.parse(beside.data, table, origin=origin).immutable
        companions.offer(store, [beside])
        condemned.spare(
            store, manifest.app, version=manifest.version, files=[file.path for file in files]
        )
        open_to_others = not origins or place.allow_origins(origins)
        missing = missing_at(place, files)
        send(place, missing, artifact.archive, table, progress=progress)
        size = sum(file.size for file in missing)
        return Published(len(missing), size, len(files), open_to_others)
    return Published(0, 0, 0, open_to_others=True)
