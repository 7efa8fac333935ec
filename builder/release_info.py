"""`castoff.json`, by which a running app can tell what it is."""

from __future__ import annotations

from pathlib import Path

from castoff.store import canonical

NAME = "castoff.json"


def write_release_info(tree: Path, *, app: str, version: str, commit: str) -> None:
    """Write it at the tree's top; it does not say how the tree will be packed."""
    facts = {"app": app, "version": version, "commit": commit}
    (tree / NAME).write_bytes(canonical.dumps(facts))
