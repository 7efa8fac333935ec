"""Output of Vite: its names hold digests already, and its manifest says what stands for what."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from castoff.builder.assets.errors import AssetError

_PLACES = (".vite/manifest.json", "manifest.json")
# `index-BxY3_k-9.js`: Rollup's eight digits of base 64; a project may have turned them off.
_HASHED = re.compile(r"[-.][0-9A-Za-z_-]{8,}\.[^/]+$")


@dataclass(frozen=True)
class Chunk:
    """What Vite made of one source.

    Attributes:
        source: Its path in the project, `src/main.ts`.
        file: The file it became, relative to the output folder.
        css: Stylesheets that a page needs with it.
        imports: Sources of the chunks that it loads at once.
    """

    source: str
    file: str
    css: tuple[str, ...]
    imports: tuple[str, ...]


def is_built(folder: Path) -> bool:
    """Say whether a folder is the output of Vite with `build.manifest` on.

    Such a folder is kept as it is: what Vite hashed has its digest, and what it copied from
    `public/` is named from hashed files by its plain name.
    """
    return _manifest(folder) is not None


def chunks(folder: Path) -> list[Chunk]:
    """Return what the manifest of a built folder lists, sorted by source; empty where none is.

    Raises:
        AssetError: The manifest lists a file that is not there, or cannot be read.
    """
    path = _manifest(folder)
    if path is None:
        return []
    found = []
    for source, facts in sorted(_read(path).items()):
        chunk = Chunk(
            source, facts["file"], tuple(facts.get("css", ())), tuple(facts.get("imports", ()))
        )
        for file in (chunk.file, *chunk.css):
            if not (folder / file).is_file():
                raise AssetError(f"it lists {file}, which is not there", file=str(path))
        found.append(chunk)
    return found


def hashed_files(folder: Path) -> frozenset[str]:
    """Return the files of a built folder whose names hold a digest that Vite made.

    Raises:
        AssetError: The manifest cannot be read.
    """
    path = _manifest(folder)
    if path is None:
        return frozenset()
    facts = list(_read(path).values())
    files = {one["file"] for one in facts}
    files.update(name for one in facts for key in ("css", "assets") for name in one.get(key, ()))
    return frozenset(name for name in files if _HASHED.search(name))


def _manifest(folder: Path) -> Path | None:
    hidden = folder / _PLACES[0]
    if hidden.is_file():
        return hidden
    # Before Vite 5 the file was not hidden; a web app manifest may have that name too.
    plain = folder / _PLACES[1]
    if plain.is_file() and _is_vites(plain):
        return plain
    return None


def _is_vites(path: Path) -> bool:
    try:
        content = json.loads(path.read_bytes())
    except ValueError:
        return False
    return (
        isinstance(content, dict)
        and bool(content)
        and all(isinstance(facts, dict) and "file" in facts for facts in content.values())
    )


def _read(path: Path) -> dict[str, dict[str, Any]]:
    if not _is_vites(path):
        raise AssetError("this is not a manifest of Vite", file=str(path))
    content: dict[str, dict[str, Any]] = json.loads(path.read_bytes())
    return content
