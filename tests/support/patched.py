"""Patches between small artifacts, made as a push makes them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from castoff.builder.patches.make import Side, make
from castoff.builder.patches.pairs import pairs
from support.archives import Artifact


@dataclass(frozen=True)
class MadePatch:
    """A patch, and what a request says of it."""

    data: bytes
    said: dict[str, Any]

    def offer(self, *sources: dict[str, str], **changes: Any) -> dict[str, Any]:
        """Return the `patch` of a request."""
        given = list(sources) or [{"kind": "controller"}]
        return {"patch": {**self.said, "sources": given, **changes}}


def make_patch(old: Artifact, new: Artifact, folder: Path) -> MadePatch:
    """Make the patch from one artifact to another."""
    path = folder / f"patch-{old.version}-{new.version}"
    patch = make(
        old.version,
        Side(io.BytesIO(old.archive), old.table),
        Side(io.BytesIO(new.archive), new.table),
        pairs(old.table, new.table),
        path,
    )
    said = patch.model_dump(mode="json", by_alias=True)
    del said["schema"]
    return MadePatch(path.read_bytes(), said)
