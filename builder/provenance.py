"""How a version came to be: an in-toto statement with SLSA provenance, version 1.

The forms are https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md and
https://slsa.dev/spec/v1.0/provenance. Nothing of the machine or the moment is in it: the same
commit gives the same statement. It is not signed by itself; the manifest, whose digest it names,
is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from castoff.builder.purl import of_dependency
from castoff.store.digest import sha256
from castoff.store.local_artifact import LocalArtifact
from castoff.store.manifest import RECIPE, Manifest

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
# Where a reader finds what the parameters below mean.
BUILD_TYPE = "pkg:pypi/castoff#docs/explanation/supply-chain.md"
BUILDER = "pkg:pypi/castoff"


@dataclass(frozen=True, slots=True)
class LockFile:
    """The lock that dependencies were installed from: its name in the project, its digest."""

    name: str
    sha256: str


def make_provenance(artifact: LocalArtifact, lock: LockFile | None) -> bytes:
    """Return the statement about an artifact.

    Args:
        artifact: The archive and the manifest are its subjects.
        lock: What dependencies were installed from, where there was a lock.
    """
    manifest = artifact.manifest
    statement = {
        "_type": STATEMENT,
        "subject": [
            {"name": artifact.archive.name, "digest": {"sha256": manifest.archive.sha256}},
            {"name": "manifest.json", "digest": {"sha256": sha256(artifact.manifest_bytes)}},
        ],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "app": manifest.app,
                    "version": manifest.version,
                    "ref": manifest.source.ref,
                    "dirty": manifest.source.dirty,
                    "format": manifest.format,
                    **_recipe(manifest),
                },
                "internalParameters": {
                    "sourceDateEpoch": manifest.source.time,
                    "target": manifest.target.model_dump(mode="json"),
                },
                "resolvedDependencies": _materials(manifest, lock),
            },
            "runDetails": {"builder": {"id": BUILDER, "version": manifest.tools}},
        },
    }
    return json.dumps(statement, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _recipe(manifest: Manifest) -> dict[str, str]:
    # Manifests of older versions of Castoff have none.
    found = manifest.built_with.get(RECIPE)
    return {} if found is None else {RECIPE: found}


def _materials(manifest: Manifest, lock: LockFile | None) -> list[dict[str, Any]]:
    # A dirty build's files are those of no commit, but of one with changes.
    name = "base" if manifest.source.dirty else "source"
    materials: list[dict[str, Any]] = [
        {"name": name, "digest": {"gitCommit": manifest.source.commit}}
    ]
    if lock is not None:
        materials.append({"name": lock.name, "digest": {"sha256": lock.sha256}})
    materials += [
        {
            "name": dependency.name,
            "uri": of_dependency(dependency),
            **({"digest": {"sha256": dependency.sha256}} if dependency.sha256 else {}),
        }
        for dependency in manifest.dependencies
    ]
    return materials
