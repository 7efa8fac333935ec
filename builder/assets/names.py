"""Names that hold the digest of their content."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import PurePosixPath

from castoff.store.digest import sha256

_DIGITS = 16
_HASHED = re.compile(rf"\.([0-9a-f]{{{_DIGITS}}})(?:\.[^.]+)?$")


def hashed(name: str, digest: str) -> str:
    """Return `css/app.<16 digits>.css` for `css/app.css`."""
    path = PurePosixPath(name)
    return str(path.with_name(f"{path.stem}.{digest[:_DIGITS]}{path.suffix}"))


def is_own_hashed_name(name: str, data: bytes) -> bool:
    """Say whether a name was made by `hashed` for this very content."""
    found = _HASHED.search(name)
    return found is not None and sha256(data).startswith(found[1])


def integrity(data: bytes) -> str:
    """Return what an `integrity` attribute says of a file (W3C Subresource Integrity)."""
    return f"sha384-{base64.b64encode(hashlib.sha384(data).digest()).decode()}"
