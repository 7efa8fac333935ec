"""The bill of materials: valid CycloneDX, complete, and the same for the same manifest."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from castoff.builder.licences import Licence, declared, known, told
from castoff.builder.sbom import make_sbom
from castoff.store.manifest import Manifest
from support.archives import make_artifact
from support.trees import manifest_of

LICENCES = {
    "django": Licence("BSD-3-Clause AND MIT"),
    "odd": Licence(names=("BSD License", "MIT License")),
    "asgiref": Licence(),
}


@pytest.fixture
def manifest() -> Manifest:
    return manifest_of(
        make_artifact("1.0+local", {"app/a": b"1"}),
        dependencies={"django": "5.2.1", "odd": "1.0+cpu", "asgiref": "3.8"},
    )


def read(manifest: Manifest) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(make_sbom(manifest, LICENCES))
    return document


def test_it_is_valid_by_the_strict_schema(manifest: Manifest) -> None:
    # Compiling its grammars takes seconds, which each worker would spend on finding the tests.
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    validator = JsonStrictValidator(SchemaVersion.V1_6)

    assert validator.validate_str(make_sbom(manifest, LICENCES).decode()) is None
    broken = make_sbom(manifest, LICENCES).decode().replace('"library"', '"no such type"')
    assert validator.validate_str(broken) is not None


def test_what_cyclonedx_s_own_library_reads_of_it_is_all_of_it(manifest: Manifest) -> None:
    from cyclonedx.model.bom import Bom
    from cyclonedx.output.json import JsonV1Dot6

    given = read(manifest)
    # Its stubs know no class that reads, which decorators add.
    bom: Bom = Bom.from_json(given)  # type: ignore[attr-defined]
    again = json.loads(JsonV1Dot6(bom).output_as_string())
    assert _sorted(again) == _sorted(given)


def _sorted(value: Any) -> Any:
    """Return a document whose lists, in which order means nothing, have one."""
    if isinstance(value, dict):
        return {key: _sorted(inner) for key, inner in sorted(value.items())}
    if isinstance(value, list):
        return sorted((_sorted(inner) for inner in value), key=repr)
    return value


def test_it_names_the_app_and_all_that_is_in_it(manifest: Manifest) -> None:
    sbom = read(manifest)

    app = sbom["metadata"]["component"]
    assert (app["type"], app["name"], app["version"]) == ("application", "shop", "1.0+local")
    assert app["hashes"] == [{"alg": "SHA-256", "content": manifest.archive.sha256}]
    assert {part["purl"] for part in sbom["components"]} == {
        "pkg:pypi/asgiref@3.8",
        "pkg:pypi/django@5.2.1",
        "pkg:pypi/odd@1.0%2Bcpu",
    }
    graph = {node["ref"]: node.get("dependsOn", []) for node in sbom["dependencies"]}
    assert sorted(graph[app["bom-ref"]]) == sorted(part["bom-ref"] for part in sbom["components"])


def test_it_says_from_what_and_with_what_it_was_built(manifest: Manifest) -> None:
    metadata = read(manifest)["metadata"]

    properties = {one["name"]: one["value"] for one in metadata["component"]["properties"]}
    assert properties["castoff:commit"] == manifest.source.commit
    assert properties["castoff:tree-sha256"] == manifest.tree_sha256
    tools = {one["name"]: one["version"] for one in metadata["tools"]["components"]}
    assert tools == manifest.built_with


def test_time_and_serial_number_come_from_the_manifest(manifest: Manifest) -> None:
    first = read(manifest)
    other = read(manifest.model_copy(update={"tree_sha256": "0" * 64}))

    assert first["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert uuid.UUID(first["serialNumber"]).version == 5
    assert first["serialNumber"] != other["serialNumber"]


def test_the_same_manifest_gives_the_same_bytes_in_another_process(
    manifest: Manifest, tmp_path: Path
) -> None:
    import subprocess
    import sys

    path = tmp_path / "manifest.json"
    path.write_bytes(manifest.to_bytes())
    code = (
        "import sys; from pathlib import Path\n"
        "from castoff.builder.sbom import make_sbom\n"
        "from castoff.store.manifest import parse\n"
        "sys.stdout.buffer.write(make_sbom(parse(Path(sys.argv[1]).read_bytes(), origin='x'), {}))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code, str(path)],
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": seed, "TZ": zone},
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }

    assert outputs == {make_sbom(manifest, {})}


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"license-expression": "MIT OR Apache-2.0", "license": "MIT"}, "MIT OR Apache-2.0"),
        ({"classifier": "License :: OSI Approved :: MIT License", "license": "x"}, ["MIT License"]),
        ({"classifier": "License :: OSI Approved", "license": "BSD"}, ["BSD"]),
        ({"license": "The licence\n\nPermission is hereby granted"}, ["The licence"]),
        ({"license": "UNKNOWN", "classifier": "Framework :: Django"}, []),
        ({}, []),
    ],
)
def test_a_licence_is_what_the_metadata_declare(
    fields: dict[str, str], found: str | list[str]
) -> None:
    licence = declared(list(fields.items()))
    assert found == (licence.expression or list(licence.names))
    assert known(json.loads(json.dumps(told(licence)))) == licence


def test_licences_are_listed_by_their_spdx_names_where_they_have_one(manifest: Manifest) -> None:
    parts = {part["name"]: part.get("licenses") for part in read(manifest)["components"]}
    assert parts == {
        "django": [{"acknowledgement": "declared", "expression": "BSD-3-Clause AND MIT"}],
        "odd": [
            {"license": {"name": "BSD License", "acknowledgement": "declared"}},
            {"license": {"id": "MIT", "acknowledgement": "declared"}},
        ],
        "asgiref": None,
    }
