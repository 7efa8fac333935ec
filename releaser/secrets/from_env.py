"""A secret in a variable of the environment that Castoff runs in."""

from __future__ import annotations

import os
from pathlib import Path

from castoff.config.model import Secret
from castoff.releaser.secrets.errors import NotFound


def find(secret: Secret, base: Path) -> str:
    """Return the variable's value.

    Raises:
        NotFound: It is not set.
    """
    del base
    name = secret.env or ""
    try:
        return os.environ[name]
    except KeyError:
        raise NotFound(f"the variable {name} is not set") from None
