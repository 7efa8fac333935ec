"""Write what a build made of a finished part of the tree, for `settled` to read.

Format: the members, one behind another, as they can be written while others are made; sections of
bytes, likewise; an index, JSON; the index's length (8 bytes, big-endian); the SHA-256 of index and
sections.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO

from castoff.builder.compression import MadeUnit
from castoff.builder.growing import Growing
from castoff.builder.rows import FOLDER, LINK, Rows
from castoff.builder.settled import SettledRun
from castoff.store import canonical, filetable
from castoff.store.digest import record_lines, records
from castoff.store.filetable import Link


def sections_of(rows: Rows) -> Sequence[bytes]:
    """Return what is kept of a part of a tree however it is compressed.

    Args:
        rows: The part's entries.
    """
    links = [Link(path, rows.targets[path]) for path in rows.of_kind(LINK)]
    return [
        *rows.to_bytes(),
        filetable.rows(rows.of_kind(FOLDER)),
        filetable.link_rows(links),
        b"".join(record_lines(records(rows.of_kind(FOLDER), rows.files, links))),
    ]


def write_settled(
    file: BinaryIO,
    sections: Sequence[bytes],
    made: Iterable[MadeUnit],
    *,
    facts: Mapping[str, Any],
    size: int,
    pack: str,
    growing: Growing | None = None,
) -> None:
    """Write what a build made of a part of its tree.

    Args:
        file: Where to.
        sections: What `sections_of` returned of the part's entries.
        made: Its units, compressed, in order; written one by one.
        facts: What else is known of the part: JSON values.
        size: Bytes of all its files together.
        pack: The `identity` of the pack that the rows are from.
        growing: Told of what has been written.

    Raises:
        OSError: What was compressed cannot be read, or `file` not be written.
    """
    if growing is not None:
        growing.follow(file)
    end = 0
    runs: list[SettledRun] = []
    rows: list[bytes] = []
    for one in made:
        with one.file.open("rb") as source:
            length = sum(member.length for member in one.members)
            _append(file.fileno(), source.fileno(), one.start, length)
        pieces = [member.rows.encode() for member in one.members]
        rows += pieces
        runs += [
            member.settled(len(piece)) for member, piece in zip(one.members, pieces, strict=True)
        ]
        end = one.unit.end
        if growing is not None:
            growing.add(one, pieces)
    sections = [b"".join(rows), *sections]
    if growing is not None:
        growing.complete(sections[0])
    index = canonical.dumps(
        {
            "facts": facts,
            "pack": pack,
            "sections": [len(section) for section in sections],
            "end": end,
            "size": size,
            "runs": runs,
        }
    )
    digest = hashlib.sha256(index)
    file.seek(0, os.SEEK_END)
    for section in sections:
        digest.update(section)
        file.write(section)
    file.write(index + len(index).to_bytes(8, "big") + digest.digest())


def _append(target: int, source: int, start: int, length: int) -> None:
    """Copy some bytes from one file to where another one stands, by the system alone."""
    while length:
        copied = os.sendfile(target, source, start, length)
        if not copied:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        start, length = start + copied, length - copied
