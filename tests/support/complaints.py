"""A good castoff.toml, and what Castoff says of one that is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.config.errors import ConfigError
from castoff.config.load import load

GOOD = """\
default_app = "shop"

[apps.shop]
shared = ["media/"]

[environments.production]
user = "deploy"
root = "/srv/{app}"

[[environments.production.hosts]]
name = "web1"
roles = ["web"]

[[environments.production.hosts]]
name = "web2"
port = 2222

[[environments.production.steps]]
name = "migrate"
moment = "once"
command = "bin/migrate"
roles = ["web"]
"""


def complaints(folder: Path, text: str | bytes) -> list[str]:
    """Return what the reader says of a file, one problem each, without the path."""
    path = folder / "castoff.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    return caught.value.message.replace(f"{path}:", "").splitlines()
