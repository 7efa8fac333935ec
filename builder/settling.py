"""Write what a build made of a finished part of the tree, for `settled` to read.

Format: sections of bytes, one behind another; the members, likewise; an index, JSON; the index's
length (8 bytes, big-endian); the SHA-256 of index and sections.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, BinaryIO

from castoff.builder.compression import MadeUnit
from castoff.builder.rows import FOLDER, LINK, Rows
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
    made: Sequence[MadeUnit],
    *,
    facts: Mapping[str, Any],
    size: int,
    pack: str,
) -> None:
    """Write what a build made of a part of its tree.

    Args:
        file: Where to.
        sections: What `sections_of` returned of the part's entries.
        made: Its units, compressed, in order.
        facts: What else is known of the part: JSON values.
        size: Bytes of all its files together.
        pack: The `identity` of the pack that the rows are from.

    Raises:
        OSError: What was compressed cannot be read, or `file` not be written.
    """
    members = [member for one in made for member in one.members]
    pieces = [member.rows.encode() for member in members]
    sections = [b"".join(pieces), *sections]
    index = canonical.dumps(
        {
            "facts": facts,
            "pack": pack,
            "sections": [len(section) for section in sections],
            "end": made[-1].unit.end if made else 0,
            "size": size,
            "runs": [
                (one.first, len(piece), one.raw_length, one.length, one.checksum, one.sha256)
                for one, piece in zip(members, pieces, strict=True)
            ],
        }
    )
    digest = hashlib.sha256(index)
    for section in sections:
        digest.update(section)
        file.write(section)
    file.flush()
    with ExitStack() as opened:
        files = {one.file for one in made}
        sources = {each: opened.enter_context(each.open("rb")).fileno() for each in files}
        for one in made:
            _append(file.fileno(), sources[one.file], one.start, sum(m.length for m in one.members))
    file.seek(0, os.SEEK_END)
    file.write(index + len(index).to_bytes(8, "big") + digest.digest())


def _append(target: int, source: int, start: int, length: int) -> None:
    """Copy some bytes from one file to where another one stands, by the system alone."""
    while length:
        copied = os.sendfile(target, source, start, length)
        if not copied:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        start, length = start + copied, length - copied
