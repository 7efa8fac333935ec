"""Releases with configuration files, as an agent is asked for them."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from castoff.releaser.bundle import built_ins
from support.agent_client import AgentClient
from support.archives import make_artifact

File = dict[str, Any]


def file(path: str | Path, text: str, **changes: Any) -> File:
    return {"path": str(path), "text": text, "mode": "0640", "shown": text, **changes}


def check(kind: str, argument: str | None = None) -> dict[str, Any]:
    return {"kind": kind, "argument": argument, "timeout": 20}


def configure(client: AgentClient, version: str, *files: File) -> dict[str, Any]:
    """Prepare a version and its configuration; return what the agent says of that."""
    artifact = make_artifact(version, {"app/version": version.encode()})
    inside = [one["path"] for one in files if not one["path"].startswith("/")]
    client.ask("prepare", archive=artifact.archive, **artifact.request(configured=inside))
    client.ask("load", modules=built_ins())
    return client.ask(
        "built_in",
        what="configure",
        version=version,
        name="configure",
        options={"files": list(files)},
        env={"CASTOFF_VERSION": version},
        timeout=30,
    )


def good(client: AgentClient, version: str, *files: File, release: str = "r") -> dict[str, Any]:
    """Release a version with its configuration; return the answer to its flip."""
    config = configure(client, version, *files)["config"]
    flipped = client.ask("activate", version=version, release=release, config=config)
    client.ask("confirm", version=version, release=release)
    return flipped


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
