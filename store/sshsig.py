"""The envelope of an SSH signature: who signed, and for what purpose.

The format is OpenSSH's PROTOCOL.sshsig. Nothing here says that a signature is good: that is for
ssh-keygen (store/signature.py). This is read to say in plain words what is wrong with one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass

_BEGIN = "-----BEGIN SSH SIGNATURE-----"
_END = "-----END SSH SIGNATURE-----"
_MAGIC = b"SSHSIG"
_VERSION = 1
_LENGTH = 4  # bytes of a string's length, and of the version


@dataclass(frozen=True, slots=True)
class Envelope:
    """What an SSH signature says of itself.

    Attributes:
        public_key: The signer's, in SSH's wire format (RFC 4253, section 6.6).
        namespace: What the signature is for; one made for another purpose is worth nothing.
    """

    public_key: bytes
    namespace: str


def read_envelope(signature: bytes) -> Envelope:
    """Read an armoured SSH signature.

    Raises:
        ValueError: It is none.
    """
    lines = signature.decode("ascii").strip().splitlines()
    if not lines or lines[0] != _BEGIN or lines[-1] != _END:
        raise ValueError("no SSH signature")
    try:
        blob = base64.b64decode("".join(lines[1:-1]), validate=True)
    except binascii.Error as error:
        raise ValueError("no SSH signature") from error
    head = len(_MAGIC) + _LENGTH
    if blob[:head] != _MAGIC + struct.pack(">I", _VERSION):
        raise ValueError("an SSH signature of an unknown version")
    public_key, rest = take_string(blob[head:])
    namespace, _ = take_string(rest)
    return Envelope(public_key, namespace.decode())


def take_string(data: bytes) -> tuple[bytes, bytes]:
    """Split SSH's length-prefixed string (RFC 4251, section 5) from what follows it.

    Raises:
        ValueError: The data end before it does.
    """
    length, rest = int.from_bytes(data[:_LENGTH], "big"), data[_LENGTH:]
    if len(data) < _LENGTH or len(rest) < length:
        raise ValueError("cut short")
    return rest[:length], rest[length:]


def fingerprint(public_key: bytes) -> str:
    """Return a key's fingerprint as ssh-keygen and ssh-add print it, `SHA256:…`."""
    digest = base64.b64encode(hashlib.sha256(public_key).digest()).decode()
    return f"SHA256:{digest.rstrip('=')}"
