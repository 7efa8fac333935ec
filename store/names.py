"""What the files of an artifact are called, beside a project and in a store."""

from __future__ import annotations

from castoff.store.manifest import Format

_SUFFIX: dict[Format, str] = {"tarball": "tar.gz", "zipapp": "pyz"}


def local_archive(app: str, version: str, kind: Format) -> str:
    """Return the archive's name in `artifacts/`."""
    return f"{app}-{version}.{_SUFFIX[kind]}"


def local_table(app: str, version: str) -> str:
    """Return the gzipped file table's name in `artifacts/`."""
    return f"{app}-{version}.files.json.gz"


def local_manifest(app: str, version: str) -> str:
    """Return the manifest's name in `artifacts/`."""
    return f"{app}-{version}.manifest.json"


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
