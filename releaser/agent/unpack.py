"""Write a release's tree from its archive, guided by the file table alone."""

from __future__ import annotations

import hashlib
import os

from .durable import write_all
from .errors import AgentError
from .rawbytes import RawBytes
from .table import File, Member, Table
from .writer import TreeWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO


def unpack(
    archive: BinaryIO,
    table: Table,
    writer: TreeWriter,
    report: Callable[[int], None],
    done: bytearray,
    ready: Callable[[Member], None],
) -> None:
    """Write all files that are not done yet, and all links; directories are there.

    Every file's content is hashed while it is written and compared with the table, so that once
    this returns the tree is the one that the table describes. Memory stays bounded by a few
    blocks whatever the files' sizes. Links come last: nothing is ever written through one.

    Args:
        archive: The archive, seekable.
        table: What to write.
        writer: Where to.
        report: Called often, with the number of bytes written so far.
        done: For each row about a file, whether that is there already.
        ready: Returns once a member is in the archive, and is the one that it should be.

    Raises:
        AgentError: `corrupt`: bytes differ from what the table says.
        OSError: Something could not be written.
    """
    raw = RawBytes(archive, table.members, ready)
    written = 0
    for row in table.files.in_order(empty=True):
        if done[row]:
            continue
        file = table.files[row]
        descriptor = writer.file(file.path)
        try:
            digest = hashlib.sha256()
            for block in raw.span(file.position, file.size):
                digest.update(block)
                write_all(descriptor, block)
                written += len(block)
                report(written)
            os.fchmod(descriptor, 0o555 if file.executable else 0o444)
        finally:
            os.close(descriptor)
        _compare(file, digest.hexdigest())
    raw.finish()
    for link in table.links:
        writer.link(link.path, link.target)


def _compare(file: File, sha256: str) -> None:
    if sha256 != file.sha256:
        raise AgentError(
            "corrupt",
            f"{file.path!r} in the archive is not the file that the file table names",
            "The artifact contradicts itself: build it again under a new version.",
        )
