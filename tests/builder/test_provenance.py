"""The provenance statement: in the standard's form, complete, and the same for the same build."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from castoff.builder.attest import write_attestations
from castoff.builder.provenance import LockFile, make_provenance
from castoff.builder.sbom import make_sbom
from castoff.store.local_artifact import LocalArtifact
from castoff.store.manifest import Dependency, Source
from support.trees import write_tree

OF_OURS = Dependency(name="ours", version="2", local=True)
LOCK = LockFile("uv.lock", "a" * 64)


@pytest.fixture
def artifact(tmp_path: Path) -> LocalArtifact:
    return write_tree(tmp_path, "1.0", {"app/a": b"1"}, dependencies={"django": "5.2+x"})


def read(artifact: LocalArtifact, lock: LockFile | None = LOCK) -> dict[str, Any]:
    statement: dict[str, Any] = json.loads(make_provenance(artifact, lock))
    return statement


def test_it_is_what_the_standards_own_definitions_take(artifact: LocalArtifact) -> None:
    # Generated from the protocol buffers of in-toto, which are the schemas; no field is unknown.
    statements = import_module("in_toto_attestation.v1.statement_pb2")
    provenances = import_module("in_toto_attestation.predicates.provenance.v1.provenance_pb2")
    forms = import_module("google.protobuf.json_format")
    parse = forms.ParseDict
    statement = read(artifact)

    parsed = parse(statement, statements.Statement())
    provenance = parse(statement["predicate"], provenances.Provenance())

    assert [subject.name for subject in parsed.subject] == ["shop-1.0.tar.gz", "manifest.json"]
    assert provenance.build_definition.build_type.startswith("pkg:pypi/castoff#")
    assert len(provenance.build_definition.resolved_dependencies) == 3
    assert provenance.run_details.builder.id == "pkg:pypi/castoff"
    for key in ("subject", "predicateType"):
        with pytest.raises(forms.ParseError, match="has no field named"):
            parse({**statement, f"{key}s": statement[key]}, statements.Statement())


def test_its_subjects_are_the_archive_and_the_manifest(artifact: LocalArtifact) -> None:
    statement = read(artifact)

    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    assert statement["subject"] == [
        {
            "name": "shop-1.0.tar.gz",
            "digest": {"sha256": hashlib.sha256(artifact.archive.read_bytes()).hexdigest()},
        },
        {
            "name": "manifest.json",
            "digest": {"sha256": hashlib.sha256(artifact.manifest_bytes).hexdigest()},
        },
    ]


def test_it_names_commit_lock_and_dependencies(artifact: LocalArtifact) -> None:
    definition = read(artifact)["predicate"]["buildDefinition"]

    assert definition["externalParameters"] == {
        "app": "shop",
        "version": "1.0",
        "ref": "main",
        "dirty": False,
        "format": "tarball",
    }
    assert definition["resolvedDependencies"] == [
        {"name": "source", "digest": {"gitCommit": "c" * 40}},
        {"name": "uv.lock", "digest": {"sha256": "a" * 64}},
        {"name": "django", "uri": "pkg:pypi/django@5.2%2Bx"},
    ]


def test_it_has_the_digests_of_the_files_that_dependencies_came_in(artifact: LocalArtifact) -> None:
    both = (Dependency(name="one", version="1", sha256="d" * 64), OF_OURS)
    manifest = artifact.manifest.model_copy(update={"dependencies": both})
    artifact = replace(artifact, manifest=manifest)

    materials = read(artifact)["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert materials[2:] == [
        {"name": "one", "uri": "pkg:pypi/one@1", "digest": {"sha256": "d" * 64}},
        {"name": "ours", "uri": "pkg:generic/ours@2"},
    ]
    parts = {
        part["name"]: part for part in json.loads(make_sbom(artifact.manifest, {}))["components"]
    }
    assert parts["one"]["hashes"] == [{"alg": "SHA-256", "content": "d" * 64}]
    assert "hashes" not in parts["ours"]


def test_it_names_the_builder_with_its_versions(artifact: LocalArtifact) -> None:
    assert read(artifact)["predicate"]["runDetails"]["builder"] == {
        "id": "pkg:pypi/castoff",
        "version": {"castoff": "0.1.0", "python": "3.11.2"},
    }


def test_without_a_lock_none_is_named(artifact: LocalArtifact) -> None:
    materials = read(artifact, None)["predicate"]["buildDefinition"]["resolvedDependencies"]

    assert [one["name"] for one in materials] == ["source", "django"]


def test_a_dirty_build_does_not_claim_to_be_its_commit(tmp_path: Path) -> None:
    source = Source(commit="d" * 40, ref="main", dirty=True, time=1)
    artifact = write_tree(tmp_path / "dirty", "1.0", {"a": b"1"}, source=source)

    definition = read(artifact)["predicate"]["buildDefinition"]

    assert definition["externalParameters"]["dirty"] is True
    assert definition["resolvedDependencies"][0]["name"] == "base"


def test_both_documents_are_written_beside_the_artifact(artifact: LocalArtifact) -> None:
    sbom, provenance = write_attestations(artifact, LOCK, {})

    assert (sbom.name, provenance.name) == ("shop-1.0.sbom.cdx.json", "shop-1.0.provenance.json")
    assert sbom.read_bytes() == make_sbom(artifact.manifest, {})
    assert provenance.read_bytes() == make_provenance(artifact, LOCK)
    before = sbom.read_bytes() + provenance.read_bytes()
    write_attestations(artifact, LOCK, {})
    assert sbom.read_bytes() + provenance.read_bytes() == before
