"""A secret that a command of the user's own prints."""

from __future__ import annotations

from pathlib import Path

from castoff.config.model import Secret
from castoff.releaser.secrets.program import printed


def find(secret: Secret, base: Path) -> str:
    """Return what the command prints; raises as `printed`."""
    argv = ["/bin/sh", "-c", secret.command or ""]
    return printed(argv, folder=base, limit=secret.timeout)
