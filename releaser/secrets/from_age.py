"""A secret in a file that age has encrypted (https://age-encryption.org/v1)."""

from __future__ import annotations

from pathlib import Path

from castoff.config.model import Secret
from castoff.config.paths import local_path
from castoff.releaser.secrets.program import printed, readable

_HOW_TO_GET = "Install age where you release (Debian: apt install age)."


def find(secret: Secret, base: Path) -> str:
    """Return what the file holds; raises as `printed`, and ConfigError for a wrong home folder."""
    key, file = (readable(local_path(p or "", base)) for p in (secret.identity, secret.age))
    argv = ["age", "--decrypt", "--identity", key, file]
    return printed(argv, folder=base, limit=secret.timeout, how_to_get=_HOW_TO_GET)
