"""What every store does, whatever lies beneath."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from castoff.store.backend import Entry, Store
from castoff.store.digest import sha256
from castoff.store.errors import (
    CastoffError,
    Conflict,
    CorruptArtifact,
    ObjectMissing,
    StoreError,
    UsageError,
)

LARGE = 33 * 1024 * 1024 + 17
HOSTILE = (
    "",
    "/etc/passwd",
    "..",
    "../outside",
    "a/../../outside",
    "a//b",
    "a/./b",
    "a/",
    "a\0b",
    "a\nb",
    "a\\b",
    "a b",
    "~root",
    "a/.~lock",
    "caf\u00e9",
    "a?versionId=1",
    "a/" + "x" * 256,
    "/".join(["x" * 200] * 6),
)


def write(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return sha256(data)


def test_a_document_reads_as_it_was_created(store: Store) -> None:
    etag = store.create("shop/artifacts/1.0/manifest.json", b'{"a":"\xc3\xa9"}')

    document = store.read("shop/artifacts/1.0/manifest.json")

    assert document.data == b'{"a":"\xc3\xa9"}'
    assert document.etag == etag


def test_an_empty_document_is_a_document(store: Store) -> None:
    store.create("a/empty", b"")

    assert store.read("a/empty").data == b""


def test_a_missing_document_is_said_to_be_missing(store: Store) -> None:
    with pytest.raises(ObjectMissing) as caught:
        store.read("shop/nothing.json")

    assert "shop/nothing.json" in caught.value.message
    assert store.url in caught.value.message


def test_what_is_only_the_beginning_of_keys_is_missing(store: Store) -> None:
    store.create("a/b/c", b"1")

    with pytest.raises(ObjectMissing):
        store.read("a/b")


def test_a_second_creation_conflicts_and_changes_nothing(store: Store) -> None:
    store.create("a/doc", b"first")

    with pytest.raises(Conflict, match="a/doc"):
        store.create("a/doc", b"second")

    assert store.read("a/doc").data == b"first"


def test_creating_the_same_bytes_again_conflicts_too(store: Store) -> None:
    store.create("a/doc", b"same")

    with pytest.raises(Conflict):
        store.create("a/doc", b"same")


def test_a_replacement_takes_the_place_of_what_it_names(store: Store) -> None:
    first = store.create("a/doc", b"first")

    second = store.replace("a/doc", b"second", etag=first)

    assert store.read("a/doc").data == b"second"
    assert store.read("a/doc").etag == second != first


def test_a_stale_replacement_conflicts_and_changes_nothing(store: Store) -> None:
    first = store.create("a/doc", b"first")
    store.replace("a/doc", b"second", etag=first)

    with pytest.raises(Conflict, match="a/doc"):
        store.replace("a/doc", b"third", etag=first)

    assert store.read("a/doc").data == b"second"


def test_replacing_what_is_missing_conflicts_and_creates_nothing(store: Store) -> None:
    etag = store.create("a/doc", b"first")
    store.delete("a/doc")

    with pytest.raises(Conflict):
        store.replace("a/doc", b"second", etag=etag)

    with pytest.raises(ObjectMissing):
        store.read("a/doc")


def test_a_removed_document_can_be_created_again(store: Store) -> None:
    store.create("a/doc", b"first")
    store.delete("a/doc")
    store.delete("a/doc")

    store.create("a/doc", b"second")

    assert store.read("a/doc").data == b"second"


def test_a_listing_is_sorted_and_holds_what_begins_so(store: Store) -> None:
    for key in ("app/x/2", "app/x/10", "app/x.y/1", "app/x-y", "apple/1", "b"):
        store.create(key, key.encode())

    assert list(store.entries("app/")) == [
        Entry("app/x-y", 7),
        Entry("app/x.y/1", 9),
        Entry("app/x/10", 8),
        Entry("app/x/2", 7),
    ]
    assert [entry.key for entry in store.entries("app/x/1")] == ["app/x/10"]
    assert [entry.key for entry in store.entries("ap")][-1] == "apple/1"
    assert len(list(store.entries(""))) == 6


def test_an_empty_store_lists_nothing(store: Store) -> None:
    assert list(store.entries("app/artifacts/")) == []


@pytest.mark.parametrize("size", [0, 1, 100_000, LARGE])
def test_a_blob_comes_back_byte_for_byte(store: Store, tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    digest = write(tmp_path / "blob", data)
    sent: list[int] = []
    received: list[int] = []

    store.upload("a/blob", tmp_path / "blob", sha256=digest, progress=sent.append)
    store.download("a/blob", tmp_path / "back", sha256=digest, progress=received.append)

    assert (tmp_path / "back").read_bytes() == data
    assert sum(sent) == sum(received) == size
    assert [entry.size for entry in store.entries("a/")] == [size]


def test_a_blob_that_is_there_is_not_sent_again(store: Store, tmp_path: Path) -> None:
    digest = write(tmp_path / "blob", b"content")
    store.upload("a/blob", tmp_path / "blob", sha256=digest)
    sent: list[int] = []

    store.upload("a/blob", tmp_path / "blob", sha256=digest, progress=sent.append)

    assert sent == []


def test_a_file_that_does_not_match_its_digest_is_not_stored(store: Store, tmp_path: Path) -> None:
    write(tmp_path / "blob", b"tampered")

    with pytest.raises(CorruptArtifact, match="blob"):
        store.upload("a/blob", tmp_path / "blob", sha256=sha256(b"original"))

    assert list(store.entries("")) == []


def test_a_damaged_blob_is_not_handed_out(store: Store, tmp_path: Path) -> None:
    digest = write(tmp_path / "blob", b"content")
    store.upload("a/blob", tmp_path / "blob", sha256=digest)
    (tmp_path / "out").mkdir()

    with pytest.raises(CorruptArtifact, match="a/blob"):
        store.download("a/blob", tmp_path / "out" / "back", sha256=sha256(b"other"))

    assert list((tmp_path / "out").iterdir()) == []


def test_a_missing_blob_is_said_to_be_missing(store: Store, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()

    with pytest.raises(ObjectMissing, match="a/blob"):
        store.download("a/blob", tmp_path / "out" / "back", sha256=sha256(b""))

    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_to_upload_that_is_not_there_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="absent"):
        store.upload("a/blob", tmp_path / "absent", sha256=sha256(b""))


def test_a_host_reaches_a_blob_by_path_or_by_url(store: Store, tmp_path: Path) -> None:
    digest = write(tmp_path / "blob", b"content")
    store.upload("a/blob", tmp_path / "blob", sha256=digest)

    path = store.local_path("a/blob")
    url = store.fetch_url("a/blob", expires=60)

    assert (path is None) != (url is None)
    if path is not None:
        assert path.is_absolute()
        assert path.read_bytes() == b"content"
    if url is not None:
        with urllib.request.urlopen(url) as answer:
            assert answer.read() == b"content"


def test_a_hostile_key_reaches_nothing(store: Store, tmp_path: Path) -> None:
    digest = write(tmp_path / "blob", b"content")

    for key in HOSTILE:
        for use in (
            lambda key=key: store.read(key),
            lambda key=key: store.create(key, b""),
            lambda key=key: store.replace(key, b"", etag="x"),
            lambda key=key: store.upload(key, tmp_path / "blob", sha256=digest),
            lambda key=key: store.download(key, tmp_path / "back", sha256=digest),
            lambda key=key: store.delete(key),
            lambda key=key: store.fetch_url(key, expires=60),
            lambda key=key: store.local_path(key),
            lambda key=key: list(store.entries(f"{key}/x")),
        ):
            with pytest.raises(UsageError):
                use()

    assert [path.name for path in tmp_path.iterdir()] == ["blob"]


def test_only_our_own_errors_leave_a_store(store: Store, tmp_path: Path) -> None:
    store.create("a/doc", b"")

    with pytest.raises(CastoffError):
        store.download("a/doc", tmp_path / "no" / "such" / "folder", sha256=sha256(b""))


def test_boto3_is_not_loaded_for_a_directory(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from castoff.store import artifacts, channel, history, lease, probe\n"
        "from castoff.store.open import open_store\n"
        "open_store('file://store', base=pathlib.Path.cwd())\n"
        "sys.exit('boto3' in sys.modules or 'botocore' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0
