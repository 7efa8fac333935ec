"""The file table: what a release's tree holds, and where in the archive each byte of it lies.

An archive is a row of *members*, each compressed by itself: the gzip members of a tarball, or
the entries of a zip. A host that lacks some files can ask for just the members that hold them.
The document is compact (arrays, not objects), gzipped in the store, and named by the manifest
through the SHA-256 of its uncompressed canonical JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import deflate
from pydantic import TypeAdapter, ValidationError

from castoff.store import canonical
from castoff.store.digest import sha256
from castoff.store.errors import CorruptArtifact

SCHEMA = 1
# Of libdeflate's twelve: smaller than zlib's best, in a quarter of the time.
_LEVEL = 6

Codec = Literal["gzip", "deflate", "stored"]


@dataclass(frozen=True, slots=True)
class Member:
    """One independently compressed run of the archive.

    Attributes:
        offset: Where it starts in the archive, bytes.
        length: How many bytes it takes there.
        raw_length: How many bytes it holds.
        sha256: Digest of its `length` bytes in the archive, so that it is checked before it
            is unpacked.
        codec: `gzip` (RFC 1952), `deflate` (raw, RFC 1951, as in a zip entry) or `stored`.
    """

    offset: int
    length: int
    raw_length: int
    sha256: str
    codec: Codec


@dataclass(frozen=True, slots=True)
class File:
    """One regular file of the tree.

    Attributes:
        path: Relative, `/`-separated, without `.`, `..` or empty parts.
        executable: Mode 0755 if true, else 0644; no other mode exists in a release.
        size: Bytes.
        sha256: Digest of the content.
        member: Index of the member that holds its first byte.
        start: Where that byte lies in the member's raw bytes. A file that is larger than the
            rest of its member goes on at the first byte of the next one.
    """

    path: str
    executable: bool
    size: int
    sha256: str
    member: int
    start: int


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link; its target is relative and stays inside the tree."""

    path: str
    target: str


@dataclass(frozen=True, slots=True)
class FileTable:
    """All members, directories, files and links, each list in order of offset or UTF-8 path."""

    members: tuple[Member, ...]
    directories: tuple[str, ...]
    files: tuple[File, ...]
    links: tuple[Link, ...]

    def to_bytes(self) -> bytes:
        """Return the canonical JSON, whose SHA-256 the manifest names."""
        return document(
            members=member_rows(self.members),
            directories=rows(self.directories),
            files=file_rows(self.files),
            links=link_rows(self.links),
        )


def document(*, members: bytes, directories: bytes, files: bytes, links: bytes) -> bytes:
    """Return the document that holds some rows, each given as `rows` returns them."""
    # Keys in order, as canonical JSON has them.
    parts = (b'{"directories":[', directories, b'],"files":[', files, b'],"links":[', links)
    return b"".join((*parts, b'],"members":[', members, b'],"schema":%d}' % SCHEMA))


def rows(values: Iterable[object]) -> bytes:
    """Return JSON values as they stand in a list, without its brackets."""
    return canonical.dumps(list(values))[1:-1]


def member_rows(members: Iterable[Member]) -> bytes:
    """Return the rows of members."""
    return rows((m.offset, m.length, m.raw_length, m.sha256, m.codec) for m in members)


def file_rows(files: Iterable[File]) -> bytes:
    """Return the rows of files."""
    return rows((f.path, int(f.executable), f.size, f.sha256, f.member, f.start) for f in files)


def link_rows(links: Iterable[Link]) -> bytes:
    """Return the rows of links."""
    return rows((link.path, link.target) for link in links)


@dataclass(frozen=True, slots=True)
class _Document:
    schema: Literal[1]
    members: tuple[tuple[int, int, int, str, Codec], ...]
    directories: tuple[str, ...]
    files: tuple[tuple[str, Literal[0, 1], int, str, int, int], ...]
    links: tuple[tuple[str, str], ...]


@cache
def _schema() -> TypeAdapter[_Document]:
    # Made when a table is first read: most commands read none.
    return TypeAdapter(_Document)


def compress(data: bytes) -> bytes:
    """Return the table's bytes as they lie in the store (gzip, mtime 0)."""
    return bytes(deflate.gzip_compress(data, _LEVEL))


def parse(data: bytes, *, expected_sha256: str) -> FileTable:
    """Read a table that was fetched, uncompressed, against the digest in the manifest.

    Raises:
        CorruptArtifact: The digest differs, or the document does not fit the schema.
    """
    if sha256(data) != expected_sha256:
        raise CorruptArtifact("the file table does not match the manifest's digest")
    try:
        document = _schema().validate_python(json.loads(data))
    except (ValueError, ValidationError) as error:
        raise CorruptArtifact(f"the file table does not fit schema {SCHEMA}: {error}") from error
    return FileTable(
        members=tuple(Member(*row) for row in document.members),
        directories=document.directories,
        files=tuple(File(p, bool(x), n, h, m, s) for p, x, n, h, m, s in document.files),
        links=tuple(Link(*row) for row in document.links),
    )
