"""What a build leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from castoff.builder.licences import Licence
    from castoff.builder.provenance import LockFile
    from castoff.store.manifest import Manifest


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What was built.

    Attributes:
        manifest: What `manifest_path` holds.
        archive: The tarball or zipapp.
        table: The gzipped file table.
        lock: What dependencies were installed from; None where there was no lock.
        licences: What each distribution says of its licence, by its name.
        seconds: How long each stage took, by its name.
    """

    manifest: Manifest
    archive: Path
    table: Path
    manifest_path: Path
    lock: LockFile | None
    licences: Mapping[str, Licence]
    seconds: Mapping[str, float]
