"""A secret in a file of the machine that releases."""

from __future__ import annotations

from pathlib import Path

from castoff.config.model import Secret
from castoff.config.paths import local_path
from castoff.releaser.secrets.errors import NotFound
from castoff.releaser.secrets.program import text_of

# Bytes: more than any secret may have.
_MOST = 1_048_576


def find(secret: Secret, base: Path) -> str:
    """Return what the file holds.

    Raises:
        ConfigError: Its path starts with the home folder of a user who does not exist.
        NotFound: It cannot be read, or holds no text.
    """
    path = local_path(secret.file or "", base)
    try:
        with path.open("rb") as file:
            data = file.read(_MOST)
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}") from error
    return text_of(data)
