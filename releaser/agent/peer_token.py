"""How a host shows its siblings that it belongs to the same run, without telling how it knows.

HMAC with SHA-256 (RFC 2104) over what is asked for; the token itself never crosses the network
between hosts. Whoever listens there can ask once more for the same bytes, and no other ones.
"""

from __future__ import annotations

import hashlib
import hmac

# Bytes, as many as the digest has.
_LENGTH = 32


def key_of(token: str) -> bytes:
    """Return the key that a token in hexadecimal stands for.

    Raises:
        ValueError: It is none, or too short to be one.
    """
    key = bytes.fromhex(token)
    if len(key) < _LENGTH:
        raise ValueError("too short")
    return key


def proof(key: bytes, path: str, wanted: str) -> str:
    """Return what shows that somebody who has the key asks for a range of a path."""
    return hmac.new(key, f"{path}\n{wanted}".encode(), hashlib.sha256).hexdigest()


def proves(key: bytes, shown: str, path: str, wanted: str) -> bool:
    """Whether that is shown."""
    return hmac.compare_digest(shown.encode(), proof(key, path, wanted).encode())
