"""The lock files that a build knows by name, the one that counts first."""

from __future__ import annotations

LOCKS = ("uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock", "requirements.txt")
