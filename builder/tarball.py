"""Write a tree as a .tar.gz of which any part can be fetched by itself.

The tar stream is cut into independent gzip members, which together are one ordinary .tar.gz
(RFC 1952, section 2.2). A member holds a run of whole entries, or a slice of one that is larger
than a run; the last one holds the two blocks of zeros that end a tar.
"""

from __future__ import annotations

from pathlib import Path

from castoff.builder.cache import Cache
from castoff.builder.members import compress_members
from castoff.builder.runs import Cutter
from castoff.builder.tree import Tree
from castoff.store.filetable import FileTable, Member


def write_tarball(tree: Tree, target: Path, *, workers: int, cache: Cache) -> FileTable:
    """Write the archive; return its file table.

    Args:
        tree: What `walk` found.
        target: The file to write.
        workers: Threads that compress.
        cache: Where members of earlier builds are; the result does not depend on it.

    Raises:
        BuildError: A file is no longer what `walk` found.
    """
    cutter = Cutter()
    members: list[Member] = []
    with target.open("wb") as file:
        for member, data in compress_members(cutter.cut(tree), workers=workers, cache=cache):
            file.write(data)
            members.append(member)
    return FileTable(
        members=tuple(members),
        directories=tree.directories,
        files=tuple(cutter.files),
        links=tree.links,
    )
