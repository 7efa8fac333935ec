"""Each kind of store, for the tests that all of them must pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.store.backend import Store
from castoff.store.file import FileStore
from support.s3_fixtures import MakeS3Store


@pytest.fixture
def file_store(tmp_path: Path) -> FileStore:
    """Return an empty store in a directory that is not there yet."""
    return FileStore(tmp_path / "store", url="file://store")


@pytest.fixture(params=["file", "moto", "seaweed"])
def store(request: pytest.FixtureRequest, file_store: FileStore) -> Store:
    """Return an empty store of each kind."""
    if request.param == "file":
        return file_store
    return _on(request, request.param)


def _on(request: pytest.FixtureRequest, server: str) -> Store:
    make: MakeS3Store = request.getfixturevalue("make_s3_store")
    endpoint: str = request.getfixturevalue(f"{server}_url")
    return make(endpoint)
