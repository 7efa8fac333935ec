"""`staticfiles.json`, as Django's ManifestStaticFilesStorage (4.2 and later) reads it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from castoff.builder.assets.manifest import Asset

FILE = "staticfiles.json"
_VERSION = "1.1"


def to_bytes(assets: Mapping[str, Asset]) -> bytes:
    """Return Django's document: `paths`, `version`, and `hash`, which tells manifests apart.

    The hash is made as Django makes it, so that it changes when and only when a path does.
    """
    paths = {name: asset.path for name, asset in sorted(assets.items())}
    digest = hashlib.md5(json.dumps(sorted(paths.items())).encode(), usedforsecurity=False)
    document = {"paths": paths, "version": _VERSION, "hash": digest.hexdigest()[:12]}
    return json.dumps(document, ensure_ascii=False).encode()
