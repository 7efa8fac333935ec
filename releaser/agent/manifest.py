"""What the agent needs of a manifest; store/manifest.py defines the whole."""

from __future__ import annotations

import json

from .errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SHA256_LENGTH = 64
_DIGITS = frozenset("0123456789abcdef")


class Manifest:
    """The digests that decide what may be written.

    Attributes:
        data: The manifest's bytes, as stored.
        version: The release's.
        archive_size: Bytes.
        archive_sha256: Digest of the archive.
        is_tarball: Whether all of the archive is members.
        table_sha256: Digest of the uncompressed file table.
        tree_sha256: Digest that the finished tree must have.
    """

    def __init__(self, text: str, version: str) -> None:
        """Read a manifest.

        Raises:
            AgentError: `invalid`: it is of another schema or version, or damaged.
        """
        self.data = text.encode()
        self.version = version
        try:
            values = json.loads(text)
            if values["schema"] != 1:
                raise AgentError(
                    "invalid", f"a manifest of schema {values['schema']!r} is not understood"
                )
            if values["version"] != version:
                raise AgentError("invalid", f"the manifest is not that of {version}")
            self.archive_size = _size(values["archive"]["size"])
            self.archive_sha256 = digest_text(values["archive"]["sha256"])
            self.is_tarball = values["format"] == "tarball"
            self.table_sha256 = digest_text(values["table_sha256"])
            self.tree_sha256 = digest_text(values["tree_sha256"])
        except (KeyError, TypeError, ValueError) as error:
            raise AgentError("invalid", "the manifest is damaged") from error


def digest_text(value: Any) -> str:
    """Return a SHA-256 in lower-case hexadecimal, checked.

    Raises:
        ValueError: It is something else.
    """
    text = value if isinstance(value, str) else ""
    if len(text) != _SHA256_LENGTH or not _DIGITS.issuperset(text):
        raise ValueError("not a SHA-256")
    return text


def _size(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a size")
    return value
