"""The software bill of materials: CycloneDX 1.6, JSON, of a manifest and declared licences.

The same build gives the same bytes: the serial number comes from the tree digest, the time is
the source's. See https://cyclonedx.org/docs/1.6/json/. Tests hold it against the schema and against
CycloneDX's own library, which is not used here: it takes longer to load than all else to be done.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from castoff.builder.licences import Licence, cyclonedx
from castoff.builder.purl import of_app, of_dependency
from castoff.store.manifest import Manifest

# A name space of our own for version 5 UUIDs (RFC 9562, section 5.5): that of the URL below.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "pkg:pypi/castoff#sbom")


def make_sbom(manifest: Manifest, licences: Mapping[str, Licence]) -> bytes:
    """Return the bill of materials of a version: the app, and every distribution in it.

    A distribution's digest is that of the file it was installed from, a wheel or sources.

    Args:
        manifest: The version's.
        licences: What distributions say of their licences, by name.
    """
    app = of_app(manifest)
    parts = {of_dependency(one): one for one in manifest.dependencies}
    moment = datetime.fromtimestamp(manifest.source.time, tz=timezone.utc)
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(_NAMESPACE, manifest.tree_sha256).urn,
        "version": 1,
        "metadata": {
            "timestamp": moment.isoformat(),
            "component": _app(manifest, app),
            "tools": {
                "components": [
                    _component("application", name, version, ref=f"tool:{name}")
                    for name, version in sorted(manifest.tools.items())
                ]
            },
        },
        "components": [
            {
                **_component("library", one.name, one.version, ref=purl),
                **({"hashes": _hashes(one.sha256)} if one.sha256 else {}),
                **_licences(licences.get(one.name)),
                "purl": purl,
            }
            for purl, one in sorted(parts.items())
        ],
        "dependencies": [
            {"ref": app, **({"dependsOn": sorted(parts)} if parts else {})},
            *({"ref": purl} for purl in sorted(parts)),
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"


def _component(kind: str, name: str, version: str, *, ref: str) -> dict[str, Any]:
    return {"type": kind, "bom-ref": ref, "name": name, "version": version}


def _hashes(sha256: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": sha256}]


def _licences(licence: Licence | None) -> dict[str, Any]:
    listed = [] if licence is None else cyclonedx(licence)
    return {"licenses": listed} if listed else {}


def _app(manifest: Manifest, purl: str) -> dict[str, Any]:
    properties = {
        "castoff:commit": manifest.source.commit,
        "castoff:tree-sha256": manifest.tree_sha256,
        "castoff:python": manifest.target.python,
    }
    return {
        **_component("application", manifest.app, manifest.version, ref=purl),
        "hashes": _hashes(manifest.archive.sha256),
        "purl": purl,
        "properties": [{"name": name, "value": value} for name, value in properties.items()],
    }
