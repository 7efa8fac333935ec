"""Public files in a folder that a web server serves."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from castoff.store.durable import MARK, make_directory, new_file
from castoff.store.errors import ObjectMissing, StoreError
from castoff.store.public.key import check_public_key
from castoff.store.public.place import Headers, Placed


class PublicFolder:
    """A place in the directory `root`, which is made at the first write.

    Headers are the web server's to set: compressed copies lie beside the originals under the
    names that nginx's `gzip_static` and `brotli_static` look for.
    """

    def __init__(self, root: Path, *, url: str) -> None:
        self._root = root.absolute()
        self._url = url

    @property
    def url(self) -> str:
        """The URL that the configuration names."""
        return self._url

    def listing(self, prefix: str = "") -> dict[str, Placed]:
        """Return all files whose key starts with `prefix`, by key."""
        with self._translated(prefix):
            return {one.key: one for one in self._walk() if one.key.startswith(prefix)}

    def put(self, key: str, data: bytes, headers: Headers) -> None:
        """Write a file in place of any that is there; the web server knows the headers."""
        del headers
        path = self._path(key)
        with self._translated(key):
            make_directory(path.parent)
            with new_file(path) as file:
                file.write(data)
                file.replace()

    def read(self, key: str) -> bytes:
        """Return a file's bytes. Raises ObjectMissing."""
        with self._translated(key):
            try:
                return self._path(key).read_bytes()
            except FileNotFoundError:
                raise ObjectMissing(f"{self._url}: there is no file {key}") from None

    def delete(self, keys: Sequence[str]) -> None:
        """Remove files, and the folders that become empty."""
        for key in keys:
            path = self._path(key)
            with self._translated(key):
                path.unlink(missing_ok=True)
                for above in path.relative_to(self._root).parents[:-1]:
                    try:
                        (self._root / above).rmdir()
                    except OSError:
                        break  # something else is in it, or another has removed it

    def allow_origins(self, origins: Sequence[str]) -> bool:
        """Return False: a folder keeps no rules."""
        del origins
        return False

    def _walk(self) -> Iterator[Placed]:
        for directory, _, names in os.walk(self._root):
            for name in names:
                if MARK in name:
                    continue
                path = Path(directory, name)
                try:
                    found = path.stat()
                except FileNotFoundError:
                    continue  # removed since it was listed
                key = path.relative_to(self._root).as_posix()
                yield Placed(key, found.st_size, found.st_mtime)

    def _path(self, key: str) -> Path:
        return self._root / check_public_key(key)

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"{self._url}: {key or 'listing'}: {error.filename}: {error.strerror}",
                hint=f"Whoever pushes must be able to write {self._root}.",
            ) from error
