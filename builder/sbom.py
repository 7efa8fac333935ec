"""The software bill of materials: CycloneDX 1.6, JSON, made from the manifest alone.

The same manifest gives the same bytes: the serial number comes from the tree digest, the time is
the source's. See https://cyclonedx.org/docs/1.6/json/.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from castoff.builder.purl import of_app, of_dependency
from castoff.store.manifest import Manifest

if TYPE_CHECKING:
    from cyclonedx.model import Property
    from cyclonedx.model.component import Component

# A name space of our own for version 5 UUIDs (RFC 9562, section 5.5): that of the URL below.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "pkg:pypi/castoff#sbom")


def make_sbom(manifest: Manifest) -> bytes:
    """Return the bill of materials of a version: the app, and every distribution in it.

    Licences and the digests of wheels are not in a manifest, so they are not in it either.
    """
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.tool import ToolRepository
    from cyclonedx.output.json import JsonV1Dot6

    app = _app(manifest)
    parts = [
        Component(
            type=ComponentType.LIBRARY,
            name=dependency.name,
            version=dependency.version,
            purl=(purl := of_dependency(dependency)),
            bom_ref=purl.to_string(),
        )
        for dependency in manifest.dependencies
    ]
    bom = Bom(
        serial_number=uuid.uuid5(_NAMESPACE, manifest.tree_sha256),
        metadata=BomMetaData(
            timestamp=datetime.fromtimestamp(manifest.source.time, tz=timezone.utc),
            component=app,
            tools=ToolRepository(components=_tools(manifest)),
        ),
        components=parts,
    )
    bom.register_dependency(app, parts)
    return JsonV1Dot6(bom).output_as_string(indent=2).encode() + b"\n"


def _app(manifest: Manifest) -> Component:
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType

    purl = of_app(manifest)
    return Component(
        type=ComponentType.APPLICATION,
        name=manifest.app,
        version=manifest.version,
        purl=purl,
        bom_ref=purl.to_string(),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=manifest.archive.sha256)],
        properties=list(_properties(manifest)),
    )


def _properties(manifest: Manifest) -> Iterator[Property]:
    from cyclonedx.model import Property

    yield Property(name="castoff:commit", value=manifest.source.commit)
    yield Property(name="castoff:tree-sha256", value=manifest.tree_sha256)
    yield Property(name="castoff:python", value=manifest.target.python)


def _tools(manifest: Manifest) -> Iterator[Component]:
    from cyclonedx.model.component import Component, ComponentType

    for name, version in sorted(manifest.tools.items()):
        yield Component(
            type=ComponentType.APPLICATION, name=name, version=version, bom_ref=f"tool:{name}"
        )
