"""Results of earlier builds, by everything that decides them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from castoff.builder.assets.tool import AssetTool, Input, Output
from castoff.builder.cache import Cache as EntryCache
from castoff.builder.cache import key_of
from castoff.store import canonical
from castoff.store.digest import sha256

_STAGE = "results"


@dataclass(frozen=True)
class Cache:
    """Keeps what tools made, in the stage `results` of `folder`.

    An entry is a line of JSON (the warnings) and the content.
    """

    folder: Path

    def run(self, tool: AssetTool, source: Input) -> Output:
        """Return what `tool` makes of `source`, from the cache where it is there.

        Raises:
            AssetError: As the tool's own.
        """
        kept, key = EntryCache(self.folder), _key(tool, source)
        entry = kept.read(_STAGE, key)
        output = None if entry is None else _parse(entry)
        if output is None:
            output = tool.run(source)
            header = canonical.dumps({"warnings": list(output.warnings)})
            kept.write(_STAGE, key, header + b"\n" + output.data)
        return output


def _key(tool: AssetTool, source: Input) -> str:
    return key_of(
        {
            "tool": dict(tool.versions),
            "options": tool.options,
            "suffix": PurePosixPath(source.name).suffix,
            # Imports are looked up from the file's own place, so that counts too.
            "name": source.name if source.path else "",
            "reads": source.reads,
            "input": sha256(source.data),
        }
    )


def _parse(entry: bytes) -> Output | None:
    header, _, data = entry.partition(b"\n")
    try:
        return Output(data, tuple(json.loads(header)["warnings"]))
    except (ValueError, KeyError, TypeError):
        return None
