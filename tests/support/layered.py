"""A host whose releases share their dependencies: what is looked at there, and done to it."""

from __future__ import annotations

import os
from pathlib import Path

from support.agent_client import AgentClient
from support.archives import Artifact


def layer_of(root: Path, version: str) -> Path:
    """Return the layer that a release links to."""
    return (root / "releases" / version / "lib").resolve(strict=True)


def whole(client: AgentClient, *artifacts: Artifact) -> None:
    """Find that nothing in some releases differs from what was released."""
    for artifact in artifacts:
        found = client.ask("verify", version=artifact.version)
        assert (found["tree_sha256"], found["differing"]) == (artifact.tree_sha256, 0)


def write_in_place(file: Path, content: bytes) -> None:
    """Write to a file of a layer and give it the times that it had, as tools that copy those do."""
    before = file.stat()
    file.chmod(0o644)
    file.write_bytes(content)
    file.chmod(0o444)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
