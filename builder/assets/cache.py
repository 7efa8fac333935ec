"""Results of earlier builds, by everything that decides them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from castoff.builder.assets.tool import AssetTool, Input, Output
from castoff.builder.cache import Cache as EntryCache
from castoff.builder.cache import key_of
from castoff.store import canonical
from castoff.store.digest import sha256

if TYPE_CHECKING:
    from importlib.abc import Traversable

_STAGE = "assets/results"
_HERE = "castoff.builder.assets"


@dataclass(frozen=True)
class Cache:
    """Keeps what tools made, in the stage `assets/results` of the builds' cache.

    An entry is a line of JSON (the warnings) and the content.
    """

    entries: EntryCache

    def run(self, tool: AssetTool, source: Input) -> Output:
        """Return what `tool` makes of `source`, from the cache where it is there.

        Raises:
            AssetError: As the tool's own.
        """
        key = _key(tool, source)
        entry = self.entries.read(_STAGE, key)
        output = None if entry is None else _parse(entry)
        if output is None:
            output = tool.run(source)
            header = canonical.dumps({"warnings": list(output.warnings)})
            self.entries.write(_STAGE, key, header + b"\n" + output.data)
        return output


def _key(tool: AssetTool, source: Input) -> str:
    return key_of(
        {
            "castoff": _own_code(),
            "tool": dict(tool.versions),
            "options": tool.options,
            "suffix": PurePosixPath(source.name).suffix,
            # Imports are looked up from the file's own place, so that counts too.
            "name": source.name if source.path else "",
            "reads": source.reads,
            "input": sha256(source.data),
        }
    )


@lru_cache
def _own_code() -> str:
    return code_digest(resources.files(_HERE))


def code_digest(package: Traversable) -> str:
    """Return the digest of what runs the tools and judges their results: a package's files."""
    found: dict[str, str] = {}
    pending = [("", package)]
    while pending:
        place, folder = pending.pop()
        for one in folder.iterdir():
            name = f"{place}{one.name}"
            if one.is_file():
                found[name] = sha256(one.read_bytes())
            elif one.name != "__pycache__":
                pending.append((f"{name}/", one))
    return sha256(canonical.dumps(found))


def _parse(entry: bytes) -> Output | None:
    header, _, data = entry.partition(b"\n")
    try:
        return Output(data, tuple(json.loads(header)["warnings"]))
    except (ValueError, KeyError, TypeError):
        return None
