"""A hardware key made of software: an `sk-ssh-ed25519@openssh.com` that signs as a token does.

The formats are OpenSSH's PROTOCOL.u2f (keys, signatures) and PROTOCOL.sshsig (the envelope).
"""

from __future__ import annotations

import base64
import hashlib
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_KIND = b"sk-ssh-ed25519@openssh.com"
_APPLICATION = b"ssh:"
_TOUCHED = 1


class HardwareKey:
    """One key; it counts its signatures, as a token does."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self._counter = 0

    @property
    def public(self) -> str:
        """The line of its `.pub` file."""
        return f"{_KIND.decode()} {base64.b64encode(self._blob).decode()} a token\n"

    def sign(self, data: bytes, namespace: str) -> bytes:
        """Return what `ssh-keygen -Y sign` writes once the token is touched."""
        self._counter += 1
        wanted = _strings(namespace.encode(), b"", b"sha512", hashlib.sha512(data).digest())
        state = struct.pack(">BI", _TOUCHED, self._counter)
        signed = self._key.sign(
            hashlib.sha256(_APPLICATION).digest()
            + state
            + hashlib.sha256(b"SSHSIG" + wanted).digest()
        )
        envelope = (
            b"SSHSIG"
            + struct.pack(">I", 1)
            + _strings(self._blob, namespace.encode(), b"", b"sha512")
            + _strings(_strings(_KIND, signed) + state)
        )
        text = base64.b64encode(envelope).decode()
        lines = [text[start : start + 70] for start in range(0, len(text), 70)]
        marks = ("-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", "")
        return "\n".join(marks).encode()

    @property
    def _blob(self) -> bytes:
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return _strings(_KIND, raw, _APPLICATION)


def _strings(*parts: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)
