"""Small artifacts made in the test itself: an archive, its file table and its manifest."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from castoff.store import canonical
from castoff.store.digest import tree_digest
from castoff.store.filetable import Codec, File, FileTable, Link, Member, compress
from castoff.store.table_delta import table_delta

Content = bytes | tuple[bytes, bool]


@dataclass(frozen=True)
class Artifact:
    """An archive with the documents that describe it."""

    version: str
    archive: bytes
    table: FileTable
    table_bytes: bytes
    manifest: bytes

    @property
    def tree_sha256(self) -> str:
        return str(json.loads(self.manifest)["tree_sha256"])

    def request(self, **changes: Any) -> dict[str, Any]:
        """Return the parameters of a `prepare` request."""
        return {
            "version": self.version,
            "release": "r1",
            "manifest": self.manifest.decode(),
            "table_z": base64.b64encode(compress(self.table_bytes)).decode(),
            "sources": [{"kind": "controller"}],
            "shared": [],
            "interpreter": None,
            "layers": "sealed",
            **changes,
        }

    def told(self, base: Artifact, **changes: Any) -> dict[str, Any]:
        """Return a request that says how the table differs from that of a release on the host."""
        request = self.request(**changes)
        del request["table_z"]
        delta = canonical.dumps(table_delta(base.table_bytes, self.table_bytes))
        packed = base64.b64encode(zlib.compress(delta)).decode()
        return {**request, "table_base": base.version, "table_delta": packed}

    def with_archive(self, archive: bytes) -> Artifact:
        """Return the artifact with another archive, which its manifest names truthfully."""
        return self.with_manifest(
            archive={
                **json.loads(self.manifest)["archive"],
                "size": len(archive),
                "sha256": hashlib.sha256(archive).hexdigest(),
            }
        ).with_bytes(archive)

    def with_bytes(self, archive: bytes) -> Artifact:
        """Return the artifact with another archive, about which its manifest says nothing."""
        return replace(self, archive=archive)

    def with_manifest(self, **changes: Any) -> Artifact:
        """Return the artifact with some of the manifest's fields changed."""
        values = {**json.loads(self.manifest), **changes}
        return replace(self, manifest=canonical.dumps(values))

    def with_table(self, **changes: Any) -> Artifact:
        """Return the artifact with some of the table's lists changed, hostile or not."""
        values = {**json.loads(self.table_bytes), **changes}
        data = canonical.dumps(values)
        return replace(self, table_bytes=data).with_manifest(
            table_sha256=hashlib.sha256(data).hexdigest()
        )


def make_artifact(
    version: str,
    files: Mapping[str, Content],
    *,
    directories: Sequence[str] = (),
    links: Mapping[str, str] | None = None,
    codec: Codec = "gzip",
    raw_member: int = 512,
) -> Artifact:
    """Make an artifact of these files.

    Args:
        version: Its version.
        files: Content of each file by path, or content and whether it is executable.
        directories: Further directories, beside those that the files and links need.
        links: Target of each symbolic link by path.
        codec: How members are packed: `gzip` with a header before each file as in a tar, a larger
            file cut at `raw_member` bytes; else one member a file, as in a zip.
        raw_member: Most raw bytes of a member.
    """
    links = dict(links or {})
    packed, members, rows = _pack(files, codec, raw_member)
    folders = set(directories)
    for path in (*files, *links, *directories):
        parts = path.split("/")[:-1]
        folders.update("/".join(parts[: count + 1]) for count in range(len(parts)))
    table = FileTable(
        members=tuple(members),
        directories=tuple(sorted(folders, key=str.encode)),
        files=tuple(rows),
        links=tuple(Link(path, links[path]) for path in sorted(links, key=str.encode)),
    )
    data = table.to_bytes()
    manifest = {
        "schema": 1,
        "app": "shop",
        "version": version,
        "format": "tarball",
        "archive": {
            "name": "archive.tar.gz",
            "size": len(packed),
            "sha256": hashlib.sha256(packed).hexdigest(),
        },
        "table_sha256": hashlib.sha256(data).hexdigest(),
        "tree_sha256": tree_digest(table),
    }
    return Artifact(version, packed, table, data, canonical.dumps(manifest))


def _pack(
    files: Mapping[str, Content], codec: Codec, raw_member: int
) -> tuple[bytes, list[Member], list[File]]:
    archive = bytearray()
    members: list[Member] = []
    rows: list[File] = []
    for path in sorted(files, key=str.encode):
        entry = files[path]
        content, executable = entry if isinstance(entry, tuple) else (entry, False)
        # A header before the content: in a tarball inside the member, in a zip before it.
        header = path.encode().ljust(64, b"\0")
        raw = header + content if codec == "gzip" else content
        start = len(header) if codec == "gzip" else 0
        if codec != "gzip":
            archive += header
        first, step = len(members), raw_member if codec == "gzip" else max(len(raw), 1)
        for begin in range(0, max(len(raw), 1), step):
            piece = raw[begin : begin + step]
            data = _compress(piece, codec)
            digest = hashlib.sha256(data).hexdigest()
            members.append(Member(len(archive), len(data), len(piece), digest, codec))
            archive += data
        rows.append(
            File(
                path,
                executable,
                len(content),
                hashlib.sha256(content).hexdigest(),
                first + start // step,
                start % step,
            )
        )
    return bytes(archive), members, rows


def _compress(data: bytes, codec: Codec) -> bytes:
    if codec == "gzip":
        return gzip.compress(data, mtime=0)
    if codec == "deflate":
        machine = zlib.compressobj(9, zlib.DEFLATED, -15)
        return machine.compress(data) + machine.flush()
    return data
