"""Results of earlier builds, by everything that decides them."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from castoff.builder.assets.tool import AssetTool, Input, Output
from castoff.store import canonical
from castoff.store.digest import sha256

# Raised when the meaning of a stored result changes.
_SCHEMA = 1


@dataclass(frozen=True)
class Cache:
    """A folder that any number of builds may use at once.

    An entry is a line of JSON (digest of the content, warnings) and the content. It appears by a
    rename, so a reader sees all of it or nothing; one that does not fit its digest is a miss.
    """

    folder: Path

    def run(self, tool: AssetTool, source: Input) -> Output:
        """Return what `tool` makes of `source`, from the cache where it is there.

        Raises:
            AssetError: As the tool's own.
        """
        path = self._path(tool, source)
        output = _read(path)
        if output is None:
            output = tool.run(source)
            _write(path, output)
        return output

    def _path(self, tool: AssetTool, source: Input) -> Path:
        key = sha256(
            canonical.dumps(
                {
                    "schema": _SCHEMA,
                    "tool": dict(tool.versions),
                    "options": tool.options,
                    "suffix": PurePosixPath(source.name).suffix,
                    # Imports are looked up from the file's own place, so that counts too.
                    "name": source.name if source.path else "",
                    "reads": source.reads,
                    "input": sha256(source.data),
                }
            )
        )
        return self.folder / "results" / key[:2] / key


def _read(path: Path) -> Output | None:
    try:
        header, _, data = path.read_bytes().partition(b"\n")
        facts = json.loads(header)
        if facts["sha256"] != sha256(data):
            return None
        return Output(data, tuple(facts["warnings"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, output: Output) -> None:
    header = canonical.dumps({"sha256": sha256(output.data), "warnings": list(output.warnings)})
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(header + b"\n" + output.data)
    Path(temporary).replace(path)
