"""Write a release's tree from its archive, guided by the file table alone."""

from __future__ import annotations

import hashlib
import os

from .durable import write_all
from .errors import AgentError
from .rawbytes import RawBytes
from .table import File, Table
from .writer import TreeWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO


def unpack(
    archive: BinaryIO,
    table: Table,
    writer: TreeWriter,
    report: Callable[[int], None],
    here: Mapping[str, str],
) -> None:
    """Write all directories, files and links.

    A file whose content lies on this host becomes another name of that one: releases are
    read-only, so they may share what they have in common.

    Every file's content is hashed while it is written and compared with the table, so that once
    this returns the tree is the one that the table describes. Memory stays bounded by a few
    blocks whatever the files' sizes. Links come last: nothing is ever written through one.

    Args:
        archive: The archive, seekable.
        table: What to write.
        writer: Where to.
        report: Called often, with the number of bytes written so far.
        here: Files of the same content and mode, by the paths that need not be written.

    Raises:
        AgentError: `corrupt`: bytes differ from what the table says.
        OSError: Something could not be written.
    """
    for path in sorted(table.directories):
        writer.directory(path)
    raw = RawBytes(archive, table.members)
    written = 0
    for file in table.files:
        if file.path in here:
            writer.share(file.path, here[file.path])
    to_write = (file for file in table.files if file.path not in here)
    for file in sorted(to_write, key=lambda file: file.position):
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
