"""What a build says of its result, in forms that other tools read, beside the artifact."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from castoff.builder.licences import Licence
from castoff.builder.provenance import LockFile, make_provenance
from castoff.builder.sbom import make_sbom
from castoff.store import names
from castoff.store.beside import write_beside
from castoff.store.local_artifact import LocalArtifact


def write_attestations(
    artifact: LocalArtifact, lock: LockFile | None, licences: Mapping[str, Licence]
) -> tuple[Path, Path]:
    """Write the bill of materials and the provenance of an artifact; return their files.

    Args:
        artifact: What was built.
        lock: What its dependencies were installed from, where there was a lock.
        licences: What each distribution says of its licence, by its name.

    Raises:
        StoreError: One cannot be written.
    """
    app, version = artifact.manifest.app, artifact.manifest.version
    folder = artifact.archive.parent
    sbom = folder / names.local_sbom(app, version)
    provenance = folder / names.local_provenance(app, version)
    write_beside(sbom, make_sbom(artifact.manifest, licences))
    write_beside(provenance, make_provenance(artifact, lock))
    return sbom, provenance
