"""The templates of a release, read from its archive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from castoff.store import artifacts
from castoff.store.backend import Store
from castoff.store.errors import CorruptArtifact
from castoff.store.filetable import File
from castoff.store.manifest import Manifest
from castoff.store.unpack import ArchiveReader, Damaged

_TOP = "app/"


class Templates:
    """Texts of files in a release's `app/`; each is read when first asked for."""

    def __init__(self, store: Store, manifest: Manifest, archive: Callable[[], Path]) -> None:
        """Take where the release is described, and what brings its archive to this machine."""
        self._store = store
        self._manifest = manifest
        self._archive = archive
        self._known: dict[str, str | None] = {}

    def read(self, path: str) -> str | None:
        """Return a file's text; None if the release has no such file.

        Raises:
            CorruptArtifact: The archive does not match the table, or the file is no text.
            StoreError: The store cannot be read.
        """
        if path not in self._known:
            self._known[path] = self._read(path)
        return self._known[path]

    def _read(self, path: str) -> str | None:
        table, _ = artifacts.fetch_table(self._store, self._manifest)
        found: dict[str, File] = {file.path: file for file in table.files}
        file = found.get(_TOP + path)
        if file is None:
            return None
        what = f"{path} of {self._manifest.app} {self._manifest.version}"
        try:
            with self._archive().open("rb") as archive:
                return b"".join(ArchiveReader(archive, table).content(file)).decode()
        except Damaged as damage:
            raise CorruptArtifact(f"{what} cannot be read: {damage}") from damage
        except UnicodeDecodeError as error:
            raise CorruptArtifact(f"{what} is no text in UTF-8, so it is no template") from error
