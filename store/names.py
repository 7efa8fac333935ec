"""What the files of an artifact are called, beside a project and in a store."""

from __future__ import annotations

import re

from castoff.store.manifest import Format

MANIFEST = ".manifest.json"

_SUFFIX: dict[Format, str] = {"tarball": "tar.gz", "zipapp": "pyz"}
_TABLE = ".files.json.gz"
_BLOB = re.compile(r"(archive|files)\.[0-9a-f]{64}\..+", re.ASCII)


def local_archive(app: str, version: str, kind: Format) -> str:
    """Return the archive's name in `artifacts/`."""
    return f"{app}-{version}.{_SUFFIX[kind]}"


def local_table(app: str, version: str) -> str:
    """Return the gzipped file table's name in `artifacts/`."""
    return f"{app}-{version}{_TABLE}"


def local_manifest(app: str, version: str) -> str:
    """Return the manifest's name in `artifacts/`."""
    return f"{app}-{version}{MANIFEST}"


def base_name(name: str) -> str | None:
    """Return `<app>-<version>` of an archive's, manifest's or table's name; else None."""
    for ending in (MANIFEST, _TABLE, *(f".{suffix}" for suffix in _SUFFIX.values())):
        if name.endswith(ending) and name != ending:
            return name.removesuffix(ending)
    return None


def local_signature(app: str, version: str) -> str:
    """Return the name of the manifest's signature in `artifacts/`."""
    return f"{local_manifest(app, version)}.sig"


def local_sbom(app: str, version: str) -> str:
    """Return the software bill of materials' name in `artifacts/`."""
    return f"{app}-{version}.sbom.cdx.json"


def local_provenance(app: str, version: str) -> str:
    """Return the provenance statement's name in `artifacts/`."""
    return f"{app}-{version}.provenance.json"


def archive_blob(sha256: str, kind: Format) -> str:
    """Return `Blob.name` of an archive with this digest."""
    return f"archive.{sha256}.{_SUFFIX[kind]}"


def table_blob(sha256: str) -> str:
    """Return `Blob.name` of a gzipped file table with this digest."""
    return f"files.{sha256}.json.gz"


def is_blob(name: str) -> bool:
    """Say whether the last part of a key is that of an archive or a file table."""
    return _BLOB.fullmatch(name) is not None
