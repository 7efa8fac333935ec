"""Which files of a release browsers load: `static/assets.json`, read for those who publish them.

The document is one of the release's own files, so that the file table, which the manifest names
by its digest, vouches for it. A push puts a copy beside the manifest under its digest: whoever
releases or collects garbage need not fetch the archive for it. Its format is documented in
docs/reference/assets.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError

from castoff.store import keys
from castoff.store.backend import Store
from castoff.store.deferred import Deferred
from castoff.store.digest import sha256
from castoff.store.errors import CorruptArtifact, ObjectMissing
from castoff.store.filetable import File, FileTable
from castoff.store.manifest import Manifest, Sha256
from castoff.store.unpack import ArchiveReader, Damaged

_KEY = re.compile(r"assets\.[0-9a-f]{64}\.json", re.ASCII)
FOLDER = "static/"
PATH = f"{FOLDER}assets.json"

Encoding = Literal["br", "gzip", "zstd"]


@dataclass(frozen=True, slots=True)
class PublicFile:
    """One file as browsers load it.

    Attributes:
        path: Relative to `static/`, and to every base URL.
        sha256: Digest of its bytes.
        size: Bytes.
        content_type: With its charset; a compressed copy has that of the original.
        encoding: What it is compressed by; None for the original.
        immutable: Whether its name holds a digest, so that caches may keep it for ever.
    """

    path: str
    sha256: str
    size: int
    content_type: str
    encoding: Encoding | None
    immutable: bool


@dataclass(frozen=True, slots=True)
class AssetList:
    """All public files of a release, sorted by path.

    Attributes:
        base_url: Where its pages look for them.
    """

    base_url: str
    files: tuple[PublicFile, ...]

    @property
    def immutable(self) -> tuple[PublicFile, ...]:
        """Those that are published before anybody can ask for them, and stay."""
        return tuple(file for file in self.files if file.immutable)

    @property
    def mutable(self) -> tuple[PublicFile, ...]:
        """Those that are replaced by those of the next release under the same names."""
        return tuple(file for file in self.files if not file.immutable)


class _Row(Deferred):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class _Variant(_Row):
    path: str


class _Asset(_Row):
    path: str
    sha256: Sha256
    size: Annotated[int, Field(ge=0)]
    type: str
    encodings: dict[Encoding, _Variant]
    # Lists of builds before there was this field say nothing about it.
    immutable: bool = False


class _Document(_Row):
    schema_: Annotated[Literal[1], Field(alias="schema")]
    base_url: str
    assets: dict[str, _Asset]


def of_archive(archive: Path, table: FileTable, entry: File) -> bytes:
    """Return the document as it lies in an archive.

    Args:
        archive: The archive.
        table: Its file table.
        entry: The document's entry there.

    Raises:
        CorruptArtifact: The archive does not hold what its table says.
        OSError: It cannot be read.
    """
    with archive.open("rb") as file:
        try:
            data = b"".join(ArchiveReader(file, table).content(entry))
        except Damaged as damage:
            raise CorruptArtifact(f"{archive}: {PATH}: {damage}") from damage
    if sha256(data) != entry.sha256:
        raise CorruptArtifact(f"{archive}: {PATH} does not match its digest")
    return data


def entry_of(table: FileTable) -> File | None:
    """Return the document's entry in a file table, or None where the release has no assets."""
    return next((file for file in table.files if file.path == PATH), None)


def key_of(manifest: Manifest, entry: File) -> str:
    """Return the document's key in a store, which holds its digest."""
    return keys.blob(manifest.app, manifest.version, f"assets.{entry.sha256}.json")


def is_key(name: str) -> bool:
    """Say whether the last part of a key is that of such a document."""
    return _KEY.fullmatch(name) is not None


def paths(data: bytes, *, origin: str, immutable: bool = False) -> frozenset[str]:
    """Return the paths that a document names, compressed copies among them.

    Args:
        data: The document.
        origin: Where it lies, for the message.
        immutable: Whether only those count whose names hold digests.

    Raises:
        CorruptArtifact: It does not fit its schema.
    """
    document = _read(data, origin)
    return frozenset(
        path
        for asset in document.assets.values()
        if asset.immutable or not immutable
        for path in (asset.path, *(variant.path for variant in asset.encodings.values()))
    )


def fetch(store: Store, manifest: Manifest, table: FileTable) -> AssetList | None:
    """Return a version's public files, or None where it has none.

    Raises:
        CorruptArtifact: The store does not have the document, or another in its place.
        StoreError: The store cannot be read.
    """
    entry = entry_of(table)
    if entry is None:
        return None
    key = key_of(manifest, entry)
    hint = f"Push the version again from where it was built: castoff push {manifest.version}"
    try:
        data = store.read(key).data
    except ObjectMissing as error:
        raise CorruptArtifact(f"{store.url}/{key}: is missing", hint=hint) from error
    if sha256(data) != entry.sha256:
        raise CorruptArtifact(f"{store.url}/{key}: does not match its digest", hint=hint)
    return parse(data, table, origin=f"{store.url}/{key}")


def parse(data: bytes, table: FileTable, *, origin: str) -> AssetList:
    """Read the document; digests of compressed copies come from the file table.

    Raises:
        CorruptArtifact: It does not fit its schema, or names a file that the release lacks.
    """
    document = _read(data, origin)
    there = {file.path: file for file in table.files}
    found: dict[str, PublicFile] = {}
    for asset in document.assets.values():
        copies = [(asset.path, None), *((v.path, name) for name, v in asset.encodings.items())]
        for path, encoding in copies:
            file = there.get(FOLDER + path)
            if file is None:
                raise CorruptArtifact(f"{origin}: names {path}, which the release does not hold")
            found[path] = PublicFile(
                path, file.sha256, file.size, asset.type, encoding, asset.immutable
            )
    return AssetList(document.base_url, tuple(found[path] for path in sorted(found)))


def _read(data: bytes, origin: str) -> _Document:
    try:
        return _Document.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "document"
        raise CorruptArtifact(f"{origin}: not a list of assets: {where}: {first['msg']}") from error
