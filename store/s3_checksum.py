"""The digest that a server is told of what it gets, so that it refuses what was damaged."""

from __future__ import annotations

import base64
import hashlib
from typing import Literal

# SHA-256 is what AWS calls flexible checksums; older servers know Content-MD5 alone.
Mode = Literal["sha256", "md5"]


def checksum(mode: Mode, data: bytes) -> dict[str, str]:
    """Return the arguments of PutObject that carry the digest of some data."""
    if mode == "md5":
        digest = hashlib.md5(data, usedforsecurity=False).digest()
        return {"ContentMD5": base64.b64encode(digest).decode()}
    digest = hashlib.sha256(data).digest()
    # With its name: buckets with Object Lock look for that header.
    return {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": base64.b64encode(digest).decode()}
