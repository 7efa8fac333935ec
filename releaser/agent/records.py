"""What the host keeps about each release: manifest, file table and links, beside the tree."""

from __future__ import annotations

import os

from .durable import write_blocks, write_file
from .errors import AgentError
from .layout import Layout
from .parameters import is_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .links import SharedLinks
    from .table import Table

_BLOCK = 64 * 1024
_KINDS = ("manifest", "table", "links")


def write_records(
    layout: Layout, version: str, *, manifest: bytes, table: Iterable[bytes], links: SharedLinks
) -> None:
    """Keep the documents of a release that is about to be put in place."""
    write_file(_path(layout, version, "manifest"), manifest, layout.staging)
    write_blocks(_path(layout, version, "table"), table, layout.staging)
    write_file(_path(layout, version, "links"), links.to_bytes(), layout.staging)


def remove_records(layout: Layout, version: str) -> None:
    """Forget the documents and the interpreter of a release that is gone."""
    for path in (
        *(_path(layout, version, kind) for kind in _KINDS),
        os.path.join(layout.python, version),
    ):
        try:
            os.unlink(path)
        except FileNotFoundError:
            continue


def is_complete(layout: Layout, version: str) -> bool:
    """Whether a release was put in place whole: the tree appears after all its documents."""
    return os.path.isdir(layout.release(version)) and all(
        os.path.isfile(_path(layout, version, kind)) for kind in _KINDS
    )


def complete_releases(layout: Layout) -> list[str]:
    """Return the versions of all complete releases, sorted."""
    return sorted(v for v in _names(layout.releases) if is_version(v) and is_complete(layout, v))


def orphans(layout: Layout) -> list[str]:
    """Return versions that have documents but no tree, after something was interrupted."""
    ending = ".manifest.json"
    recorded = (name[: -len(ending)] for name in _names(layout.records) if name.endswith(ending))
    return sorted(v for v in recorded if is_version(v) and not os.path.isdir(layout.release(v)))


def recorded_at(layout: Layout, version: str) -> int:
    """Return when the files of a complete release had been written, nanoseconds since the epoch.

    Its manifest is kept once they are, and before anybody can find them in `releases/`.
    """
    return os.stat(_path(layout, version, "manifest")).st_mtime_ns


def read_manifest(layout: Layout, version: str) -> bytes:
    """Return the manifest that a complete release was made from."""
    return _read(layout, version, "manifest")


def read_table(layout: Layout, version: str) -> Table:
    """Return the file table that a complete release was made from."""
    from .table import parse_table

    return parse_table(table_blocks(layout, version))


def table_blocks(layout: Layout, version: str) -> Iterator[bytes]:
    """Yield the document of the file table that a complete release was made from, unchecked."""
    with open(_path(layout, version, "table"), "rb") as file:
        yield from iter(lambda: file.read(_BLOCK), b"")


def table_bytes(layout: Layout, version: str, most: int) -> bytes:
    """Return what `table_blocks` yields, or so many bytes of it."""
    with open(_path(layout, version, "table"), "rb", buffering=0) as file:
        return file.read(most)


def read_links(layout: Layout, version: str) -> SharedLinks:
    """Return the links that were made in a complete release.

    Raises:
        AgentError: `corrupt`: the record is damaged.
    """
    from .links import SharedLinks

    try:
        return SharedLinks.from_bytes(_read(layout, version, "links"))
    except (KeyError, TypeError, ValueError) as error:
        raise AgentError("corrupt", f"the record of the links in {version} is damaged") from error


def not_here(version: str) -> AgentError:
    """Return the error for a version that is not on the host, or not whole."""
    return AgentError(
        "missing", f"no complete release {version} on this host", "Prepare it there first."
    )


def _read(layout: Layout, version: str, kind: str) -> bytes:
    with open(_path(layout, version, kind), "rb") as file:
        return file.read()


def _path(layout: Layout, version: str, kind: str) -> str:
    return os.path.join(layout.records, f"{version}.{kind}.json")


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
