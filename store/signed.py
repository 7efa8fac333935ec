"""Who signed which of the versions in a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from castoff.store import keys
from castoff.store.backend import Store
from castoff.store.errors import Untrusted
from castoff.store.gather import read_many
from castoff.store.listing import versions
from castoff.store.signature import check, verify
from castoff.store.sshsig import fingerprint


@dataclass(frozen=True, slots=True)
class Signed:
    """One signed version.

    Attributes:
        key: The fingerprint of the key; empty where the signature does not fit the manifest.
        trouble: Why the signature does not count; empty where it does.
    """

    version: str
    key: str
    trouble: str

    @property
    def counts(self) -> bool:
        """Whether an environment that wants signatures would take it."""
        return not self.trouble


def signed_versions(store: Store, app: str, signers: Path) -> list[Signed]:
    """Return all versions in the store that bear a signature, newest first.

    Raises:
        CorruptArtifact: A manifest does not fit its schema.
        StoreError: The store cannot be read.
    """
    names = [info.version for info in versions(store, app)]
    by_key = dict(read_many(store, [keys.signature(app, name) for name in names]))
    signed = [name for name in names if keys.signature(app, name) in by_key]
    manifests = dict(read_many(store, [keys.manifest(app, name) for name in signed]))
    return [
        _judge(
            name, manifests[keys.manifest(app, name)], by_key[keys.signature(app, name)], signers
        )
        for name in signed
        if keys.manifest(app, name) in manifests
    ]


def _judge(version: str, manifest: bytes, signature: bytes, signers: Path) -> Signed:
    key = ""
    try:
        key = fingerprint(check(manifest, signature, what=version).public_key)
        verify(manifest, signature, signers, what=version)
    except Untrusted as error:
        return Signed(version, key, error.message)
    return Signed(version, key, "")
