"""A secret in a file whose values sops has encrypted (https://getsops.io)."""

from __future__ import annotations

import json
from pathlib import Path

from castoff.config.model import Secret
from castoff.config.paths import local_path
from castoff.releaser.secrets.program import printed, readable

_HOW_TO_GET = "Install sops where you release: https://github.com/getsops/sops/releases"


def find(secret: Secret, base: Path) -> str:
    """Return a value; raises as `printed`, and ConfigError for a wrong home folder."""
    file = readable(local_path(secret.sops or "", base))
    argv = ["sops", "--decrypt", "--extract", place(secret.key or ""), file]
    own = secret.identity
    variables = {} if own is None else {"SOPS_AGE_KEY_FILE": readable(local_path(own, base))}
    return printed(
        argv, folder=base, limit=secret.timeout, variables=variables, how_to_get=_HOW_TO_GET
    )


def place(key: str) -> str:
    """Return a key such as `keys.0.id` in the way of `sops --extract`: `["keys"][0]["id"]`."""
    parts = key.split(".")
    return "".join(f"[{part}]" if part.isdecimal() else f"[{json.dumps(part)}]" for part in parts)
