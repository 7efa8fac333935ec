"""What was built: `assets.json`; its format is documented in docs/reference/assets.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from castoff.config.asset_choices import Encoding

FILE = "assets.json"
SCHEMA = 1


@dataclass(frozen=True)
class Variant:
    """A compressed copy.

    Attributes:
        path: Relative to the destination.
        size: In bytes.
    """

    path: str
    size: int


@dataclass(frozen=True)
class Asset:
    """One asset as it is served.

    Attributes:
        path: Relative to the destination, and to the base URL.
        sha256: Digest of its bytes, in hexadecimal.
        integrity: The same for browsers, `sha384-…`.
        size: In bytes.
        content_type: With its charset.
        encodings: Its compressed copies.
        immutable: Whether its name holds a digest of its content, so that it may be kept for ever.
        css: Logical names of stylesheets that go with it (entries of Vite).
        imports: Logical names of what it loads at once (entries of Vite).
    """

    path: str
    sha256: str
    integrity: str
    size: int
    content_type: str
    encodings: Mapping[Encoding, Variant]
    immutable: bool
    css: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()


@dataclass(frozen=True)
class AssetManifest:
    """All assets, and how they were made.

    Attributes:
        base_url: Where they are served, ending in a slash.
        assets: By logical name.
        tools: Version of each program that had a part in it, by name.
        warnings: What went differently from what one may expect.
    """

    base_url: str
    assets: Mapping[str, Asset]
    tools: Mapping[str, str]
    warnings: tuple[str, ...]

    def url(self, name: str) -> str:
        """Return the URL of an asset by its logical name.

        Raises:
            KeyError: There is none.
        """
        return self.base_url + self.assets[name].path

    def to_bytes(self) -> bytes:
        """Return the JSON document, sorted and indented, the same bytes for the same assets."""
        document = {
            "schema": SCHEMA,
            "base_url": self.base_url,
            "assets": {name: _entry(asset) for name, asset in self.assets.items()},
            "tools": dict(self.tools),
            "warnings": list(self.warnings),
        }
        return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _entry(asset: Asset) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "path": asset.path,
        "sha256": asset.sha256,
        "integrity": asset.integrity,
        "size": asset.size,
        "type": asset.content_type,
        "encodings": {
            name: {"path": variant.path, "size": variant.size}
            for name, variant in asset.encodings.items()
        },
        "immutable": asset.immutable,
    }
    if asset.css or asset.imports:
        entry |= {"css": list(asset.css), "imports": list(asset.imports)}
    return entry
