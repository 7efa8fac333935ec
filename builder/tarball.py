"""Write a tree as a .tar.gz of which any part can be fetched by itself.

The tar stream is cut into independent gzip members, which together are one ordinary .tar.gz
(RFC 1952, section 2.2). A member holds a run of whole entries, or a slice of one that is larger
than a run; the last one holds the two blocks of zeros that end a tar.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from castoff.builder.archive_file import ArchiveFile
from castoff.builder.cache import Cache
from castoff.builder.members import compress_members
from castoff.builder.packed import Packed
from castoff.builder.runs import Cutter, Run, Stretch
from castoff.builder.tree import Tree
from castoff.builder.tree_parts import directories, links, size, tree_sha256
from castoff.store import filetable
from castoff.store.filetable import File

# Entries: from how many on it pays to start processes.
_MANY = 2000


def write_tarball(tree: Tree, target: Path, *, workers: int, cache: Cache) -> Packed:
    """Write the archive.

    Args:
        tree: What `walk` found.
        target: The file to write.
        workers: Threads that compress.
        cache: Where members of earlier builds are; the result does not depend on it.

    Raises:
        BuildError: A file is no longer what `walk` found.
        Damaged: What an earlier build made is no longer what it was.
        NotKept: What this one makes cannot be read back.
    """
    cutter = Cutter()
    rows: list[bytes] = []
    many = _unpacked(tree) > _MANY
    with ArchiveFile(target) as archive:
        for kind, group in groupby(cutter.cut(tree), type):
            if kind is Stretch:
                for stretch in (one for one in group if isinstance(one, Stretch)):
                    start = archive.size
                    for block in stretch.settled.members(stretch.first):
                        archive.write(block)
                    rows.append(stretch.settled.member_rows(stretch.first, start))
                continue
            runs = (one for one in group if isinstance(one, Run))
            members = []
            for made in compress_members(runs, workers=workers, cache=cache, many=many):
                members.append(made.member(archive.size))
                archive.write(made.data)
            rows.append(filetable.member_rows(members))
        sha256 = archive.sha256()
    return Packed(
        document=filetable.document(
            members=b",".join(rows),
            directories=directories(tree),
            files=_file_rows(cutter.rows),
            links=links(tree),
        ),
        sha256=sha256,
        size=archive.size,
        tree_sha256=tree_sha256(tree),
        tree_size=size(tree),
    )


def _unpacked(tree: Tree) -> int:
    """Return how many entries no earlier build has packed."""
    layer = tree.layer
    own = len(tree.own_files)
    return own if layer is None or layer.settled is not None else own + len(layer.rows)


def _file_rows(cut: Iterable[File | Stretch]) -> bytes:
    pieces = []
    for alike, group in groupby(cut, type):
        if alike is File:
            pieces.append(filetable.file_rows(row for row in group if isinstance(row, File)))
        else:
            stretches = (one for one in group if isinstance(one, Stretch))
            pieces += [one.settled.table_rows(one.first, one.number) for one in stretches]
    return b",".join(piece for piece in pieces if piece)
