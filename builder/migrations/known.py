"""The migrations that an earlier build found, as long as nothing has changed that it read for it.

To look for them takes a tenth of a build that changed one line. What is read depends on what stands
in it, as for a compiler's headers; so an entry of the cache is found by the names of all files, and
counts if those that were read then are the same.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from castoff.builder.cache import Cache, code_in, code_of, key_of
from castoff.builder.rows import TreeFile
from castoff.builder.tree import Tree
from castoff.store import canonical, migrations
from castoff.store.digest import sha256
from castoff.store.migrations import AppMigrations

_STAGE = "migrations"


def known_migrations(
    tree: Tree, *, cache: Cache, warn: Callable[[str], None]
) -> tuple[AppMigrations, ...]:
    """Return what `find_migrations` does of a tree, which is asked where no earlier build was.

    Args:
        tree: The release's tree.
        cache: Where it is kept what was found.
        warn: Is told what `find_migrations` warns of.

    Raises:
        BuildError: An author's mark in a migration is not one.
    """
    key = key_of({"names": _names(tree), "code": _code(), "python": sys.version})
    kept = json.loads(cache.read(_STAGE, key) or b"null")
    if kept is None or not _is_same(tree, kept["read"]):
        kept = _found(tree)
        cache.write(_STAGE, key, canonical.dumps(kept))
    for warning in kept["warnings"]:
        warn(warning)
    return tuple(AppMigrations.model_validate_json(app) for app in kept["apps"])


@dataclass(frozen=True)
class _Noting(Tree):
    """A tree that notes which of its own files are read; a layer's are what its digest says.

    Attributes:
        noted: Their digests, by path.
    """

    noted: dict[str, str] = field(default_factory=dict)

    def read(self, file: TreeFile, start: int = 0, length: int | None = None) -> bytes:
        if self.layer is None or not self.layer.has(file.path):
            self.noted[file.path] = file.sha256
        return super().read(file, start, length)


def _found(tree: Tree) -> dict[str, Any]:
    # Most of what there is to load, and seldom needed.
    from castoff.builder.migrations.find import find_migrations

    noting = _Noting(
        tree.top, tree.own_directories, tree.own_files, tree.own_links, layer=tree.layer
    )
    warnings: list[str] = []
    found = find_migrations(noting, warn=warnings.append)
    apps = [app.to_bytes().decode() for app in found]
    return {"read": noting.noted, "warnings": warnings, "apps": apps}


def _is_same(tree: Tree, read: Mapping[str, str]) -> bool:
    files = ((tree.file(path), digest) for path, digest in read.items())
    return all(file is not None and file.sha256 == digest for file, digest in files)


def _names(tree: Tree) -> str:
    """Return a digest of where all files lie, and of what those of a layer hold."""
    lists = (tree.own_directories, [file.path for file in tree.own_files])
    layer = "" if tree.layer is None else tree.layer.pack.identity
    return sha256("\n".join("\0".join(names) for names in (*lists, (layer,))).encode())


def _code() -> list[str]:
    return [*code_in(Path(__file__).parent), *code_of(migrations)]
