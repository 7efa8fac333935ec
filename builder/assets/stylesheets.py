"""A digest of everything that a compiler of stylesheets may read."""

from __future__ import annotations

from pathlib import Path

from castoff.builder.assets.collect import files_below
from castoff.builder.assets.tools.load_paths import LoadPaths
from castoff.store import canonical
from castoff.store.digest import sha256, sha256_file

# Less can embed pictures too (`data-uri`), so for it every file counts.
_STYLES = (".css", ".less", ".sass", ".scss")


def digest(load_paths: LoadPaths, *, all_files: bool) -> str:
    """Return the digest of the stylesheets below the load paths.

    Coarser than following imports, and never wrong: a new file that takes another's place on the
    load path counts as well as a changed one.
    """
    listing = [
        [number, relative, sha256_file(folder / relative)]
        for number, folder in enumerate(load_paths.folders)
        for relative in files_below(folder)
        if all_files or Path(relative).suffix in _STYLES
        # A link to nowhere is no file that a compiler could read.
        if (folder / relative).is_file()
    ]
    return sha256(canonical.dumps(listing))
