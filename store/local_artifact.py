"""An artifact as a build leaves it in `artifacts/`: an archive, a file table and a manifest."""

from __future__ import annotations

import difflib
import gzip
import hashlib
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from castoff.store import filetable, names
from castoff.store.digest import sha256, sha256_file, tree_digest
from castoff.store.errors import CorruptArtifact, StoreError, UnknownVersion, UsageError
from castoff.store.filetable import FileTable
from castoff.store.manifest import Blob, Manifest
from castoff.store.manifest import parse as parse_manifest
from castoff.store.version import check_version

_BUILD_AGAIN = "Build it again: castoff build."


@dataclass(frozen=True, slots=True)
class LocalArtifact:
    """The three files of one version.

    Attributes:
        manifest_bytes: The manifest exactly as it lies in its file.
        archive: The tarball or zipapp.
        table: The gzipped file table.
    """

    manifest: Manifest
    manifest_bytes: bytes
    archive: Path
    table: Path


def load_local(directory: Path, app: str, version: str) -> LocalArtifact:
    """Find a version among the files that builds left.

    Args:
        directory: The project's `artifacts/`.
        app: The app.
        version: The version.

    Raises:
        UsageError: `version` could not be one.
        UnknownVersion: It is not there; the message names those that are.
        CorruptArtifact: Its manifest does not fit, or a file that it names is missing.
        StoreError: The files cannot be read.
    """
    path = directory / names.local_manifest(app, check_version(version))
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise _unknown(directory, app, version) from None
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
    manifest = parse_manifest(data, origin=str(path))
    check_names(manifest, app, version, origin=str(path))
    artifact = LocalArtifact(
        manifest,
        data,
        directory / names.local_archive(app, version, manifest.format),
        directory / names.local_table(app, version),
    )
    for file in (artifact.archive, artifact.table):
        if not file.is_file():
            raise CorruptArtifact(f"{file} is missing, beside its manifest", hint=_BUILD_AGAIN)
    return artifact


def load_file(path: Path) -> LocalArtifact:
    """Find the version that a file of `artifacts/` belongs to.

    Args:
        path: Its archive, its manifest or its file table.

    Raises:
        UsageError: The name is not that of such a file.
        UnknownVersion: There is no manifest beside it.
        CorruptArtifact: Its manifest does not fit, or a file that it names is missing.
        StoreError: The files cannot be read.
    """
    base = names.base_name(path.name)
    if base is None:
        raise UsageError(
            f"{path} is not called like a file of an artifact",
            hint="Name an archive (.tar.gz, .pyz) or its .manifest.json; both lie side by side.",
        )
    manifest_path = path.with_name(f"{base}{names.MANIFEST}")
    try:
        data = manifest_path.read_bytes()
    except FileNotFoundError:
        raise UnknownVersion(
            f"{path} has no manifest beside it: {manifest_path.name} is missing",
            hint="The manifest says what an archive should hold; fetch it too.",
        ) from None
    except OSError as error:
        raise StoreError(f"{manifest_path}: {error.strerror}") from error
    manifest = parse_manifest(data, origin=str(manifest_path))
    return load_local(path.parent, manifest.app, manifest.version)


def verify_local(artifact: LocalArtifact) -> FileTable:
    """Check every digest in the manifest and the file table against the files.

    Returns:
        The file table.

    Raises:
        CorruptArtifact: One does not match; the message names the file.
        StoreError: The files cannot be read.
    """
    manifest = artifact.manifest
    try:
        _check_blob(artifact.archive, manifest.archive)
        _check_blob(artifact.table, manifest.table)
        table = open_table(artifact.table.read_bytes(), manifest, origin=str(artifact.table))
        with artifact.archive.open("rb") as file:
            for member in table.members:
                file.seek(member.offset)
                if hashlib.sha256(file.read(member.length)).hexdigest() != member.sha256:
                    raise CorruptArtifact(
                        f"{artifact.archive}: the member at byte {member.offset} is not the one "
                        "in the file table",
                        hint=_BUILD_AGAIN,
                    )
    except OSError as error:
        raise StoreError(f"{error.filename}: {error.strerror}") from error
    return table


def open_table(gzipped: bytes, manifest: Manifest, *, origin: str) -> FileTable:
    """Read a gzipped file table against all that its manifest says of it.

    Args:
        gzipped: The bytes, as they lie in the store.
        manifest: The manifest that names them.
        origin: Where they came from, for the message.

    Raises:
        CorruptArtifact: They are not the table that the manifest names, or do not add up to
            its tree digest.
    """
    data = open_document(gzipped, manifest, origin=origin)
    table = filetable.parse(data, expected_sha256=manifest.table_sha256)
    if tree_digest(table) != manifest.tree_sha256:
        raise _other_table(manifest, origin)
    return table


def open_document(gzipped: bytes, manifest: Manifest, *, origin: str) -> bytes:
    """Return a file table's document, uncompressed and unread: the one that its manifest names.

    To read it takes twenty times as long; hosts, which are sent it, read it anyway.

    Args:
        gzipped: The bytes, as they lie in the store.
        manifest: The manifest that names them.
        origin: Where they came from, for the message.

    Raises:
        CorruptArtifact: They are another.
    """
    damaged = _other_table(manifest, origin)
    if sha256(gzipped) != manifest.table.sha256:
        raise damaged
    try:
        data = gzip.decompress(gzipped)
    except (OSError, EOFError, zlib.error) as error:
        raise damaged from error
    if sha256(data) != manifest.table_sha256:
        raise damaged
    return data


def _other_table(manifest: Manifest, origin: str) -> CorruptArtifact:
    return CorruptArtifact(
        f"{origin}: not the file table that the manifest of {manifest.app} {manifest.version} "
        "names",
        hint="It is damaged: build the version again, or push it from where it was built.",
    )


def check_names(manifest: Manifest, app: str, version: str, *, origin: str) -> None:
    """Raise CorruptArtifact if a manifest is not that of `app` and `version`."""
    if (manifest.app, manifest.version) != (app, version):
        raise CorruptArtifact(
            f"{origin}: is the manifest of {manifest.app} {manifest.version}, "
            f"not of {app} {version}",
            hint="Somebody renamed or copied it: build and push the version that you want.",
        )


def near(version: str, there: Collection[str]) -> str:
    """Return a hint that names the versions most like the one that was not found."""
    if not there:
        return ""
    close = difflib.get_close_matches(version, there, n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(close)}? " if close else ""


def _check_blob(path: Path, blob: Blob) -> None:
    if path.stat().st_size != blob.size or sha256_file(path) != blob.sha256:
        raise CorruptArtifact(
            f"{path}: its content is not what its manifest says", hint=_BUILD_AGAIN
        )


def _unknown(directory: Path, app: str, version: str) -> UnknownVersion:
    prefix, suffix = names.local_manifest(app, "\0").split("\0")
    there = sorted(
        path.name.removeprefix(prefix).removesuffix(suffix)
        for path in directory.glob(f"{prefix}*{suffix}")
    )
    listed = f"there are {', '.join(there)}" if there else "no version of it is"
    return UnknownVersion(
        f"{app} {version} is not in {directory}; {listed}",
        hint=f"{near(version, there)}Build it first: castoff build --version {version}",
    )
