"""Versions: published once and whole, found by name, checked against every digest."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from castoff.store import artifacts, keys, listing, names
from castoff.store.artifacts import LocalArtifact
from castoff.store.backend import Progress, Store
from castoff.store.digest import sha256
from castoff.store.errors import (
    CorruptArtifact,
    ImmutableVersion,
    StoreError,
    UnknownVersion,
    UsageError,
)
from castoff.store.file import FileStore
from castoff.store.manifest import Format, Manifest
from support.tiny_artifact import write_artifact


def test_a_pushed_version_comes_back_byte_for_byte(store: Store, tmp_path: Path) -> None:
    local = write_artifact(tmp_path / "artifacts", "1.0")
    sent: list[int] = []

    pushed = artifacts.push(store, local, sent.append)

    assert pushed.created
    assert sum(sent) == local.manifest.archive.size + local.manifest.table.size
    manifest, data = artifacts.fetch_manifest(store, "shop", "1.0")
    assert data == local.manifest_bytes
    assert manifest == local.manifest
    table, table_z = artifacts.fetch_table(store, manifest)
    assert table.files[0].path == "app/main.py"
    assert table_z == local.table.read_bytes()
    key = keys.blob("shop", "1.0", manifest.archive.name)
    store.download(key, tmp_path / "back", sha256=manifest.archive.sha256)
    assert gzip.decompress((tmp_path / "back").read_bytes()) == b"print('hello')\n"


def test_pushing_the_same_bytes_again_does_nothing(store: Store, tmp_path: Path) -> None:
    local = write_artifact(tmp_path / "artifacts", "1.0")
    artifacts.push(store, local)
    before = list(store.entries(""))
    sent: list[int] = []

    assert not artifacts.push(store, local, sent.append).created

    assert sent == []
    assert list(store.entries("")) == before


def test_pushing_other_bytes_is_refused_and_changes_nothing(store: Store, tmp_path: Path) -> None:
    first = write_artifact(tmp_path / "first", "1.0")
    second = write_artifact(tmp_path / "second", "1.0", b"print('other')\n")
    artifacts.push(store, first)
    before = list(store.entries(""))

    with pytest.raises(ImmutableVersion) as caught:
        artifacts.push(store, second)

    assert sha256(first.manifest_bytes) in caught.value.message
    assert sha256(second.manifest_bytes) in caught.value.message
    assert "another tree" in caught.value.message
    assert store.url in caught.value.message
    assert list(store.entries("")) == before
    assert artifacts.fetch_manifest(store, "shop", "1.0")[1] == first.manifest_bytes


def test_a_refusal_says_when_only_the_wrapping_differs(
    file_store: FileStore, tmp_path: Path
) -> None:
    artifacts.push(file_store, write_artifact(tmp_path / "first", "1.0"))

    with pytest.raises(ImmutableVersion, match="the same tree"):
        artifacts.push(file_store, write_artifact(tmp_path / "second", "1.0", kind="zipapp"))


class LosesContact(FileStore):
    """A store that is cut off after a number of uploads."""

    uploads = 1

    def upload(
        self, key: str, path: Path, *, sha256: str, progress: Progress | None = None
    ) -> None:
        if not self.uploads:
            raise StoreError(f"{self.url}: the line is dead")
        self.uploads -= 1
        super().upload(key, path, sha256=sha256, progress=progress)


def test_a_push_that_breaks_off_publishes_nothing_and_can_be_done_again(tmp_path: Path) -> None:
    local = write_artifact(tmp_path / "artifacts", "1.0")
    broken = LosesContact(tmp_path / "store", url="file://store")
    with pytest.raises(StoreError, match="dead"):
        artifacts.push(broken, local)
    mended = FileStore(tmp_path / "store", url="file://store")

    assert listing.versions(mended, "shop") == []
    with pytest.raises(UnknownVersion):
        artifacts.fetch_manifest(mended, "shop", "1.0")

    assert artifacts.push(mended, local).created


def test_versions_are_listed_newest_build_first(store: Store, tmp_path: Path) -> None:
    for version, time in (("1.10", 300), ("1.9", 200), ("2.0-rc1", 400), ("0.1", 100)):
        artifacts.push(store, write_artifact(tmp_path / "artifacts", version, time=time))
    artifacts.push(store, write_artifact(tmp_path / "artifacts", "9.9", app="shop-admin"))

    found = listing.versions(store, "shop")

    assert [info.version for info in found] == ["2.0-rc1", "1.10", "1.9", "0.1"]
    assert found[0].built == 400
    assert found[0].commit == "c" * 40
    assert listing.versions(store, "nothing") == []


def test_an_unknown_version_is_answered_with_the_nearest(store: Store, tmp_path: Path) -> None:
    for version in ("1.4.1", "1.4.2", "20240101"):
        artifacts.push(store, write_artifact(tmp_path / "artifacts", version))

    with pytest.raises(UnknownVersion, match=r"shop 1\.4\.3 is not in") as caught:
        artifacts.fetch_manifest(store, "shop", "1.4.3")

    assert "Did you mean 1.4." in caught.value.hint
    assert "20240101" not in caught.value.hint


def test_an_app_without_versions_is_said_to_have_none(file_store: FileStore) -> None:
    with pytest.raises(UnknownVersion, match="no version of shop is"):
        artifacts.fetch_manifest(file_store, "shop", "1.0")


@pytest.mark.parametrize("version", ["../../etc/passwd", "-oProxyCommand=x", "1;id", "", "a/b"])
def test_a_hostile_version_reaches_no_store_and_no_directory(
    file_store: FileStore, tmp_path: Path, version: str
) -> None:
    with pytest.raises(UsageError):
        artifacts.fetch_manifest(file_store, "shop", version)
    with pytest.raises(UsageError):
        artifacts.load_local(tmp_path, "shop", version)


def test_a_manifest_of_another_version_is_not_believed(
    file_store: FileStore, tmp_path: Path
) -> None:
    local = write_artifact(tmp_path / "artifacts", "1.0")
    file_store.create(keys.manifest("shop", "2.0"), local.manifest_bytes)

    with pytest.raises(CorruptArtifact, match=r"is the manifest of shop 1\.0, not of shop 2\.0"):
        artifacts.fetch_manifest(file_store, "shop", "2.0")


@pytest.mark.parametrize("fetch", [artifacts.fetch_table, artifacts.fetch_table_document])
def test_a_file_table_that_was_tampered_with_is_not_believed(
    file_store: FileStore,
    tmp_path: Path,
    fetch: Callable[[Store, Manifest], tuple[object, bytes]],
) -> None:
    local = write_artifact(tmp_path / "artifacts", "1.0")
    artifacts.push(file_store, local)
    path = file_store.local_path(keys.blob("shop", "1.0", local.manifest.table.name))
    assert path is not None
    path.write_bytes(gzip.compress(b"{}"))

    with pytest.raises(CorruptArtifact, match="not the file table"):
        fetch(file_store, local.manifest)

    path.unlink()
    with pytest.raises(CorruptArtifact, match="is missing, though its manifest is there"):
        fetch(file_store, local.manifest)


def test_a_table_is_fetched_unread_as_it_is_read(file_store: FileStore, tmp_path: Path) -> None:
    local = write_artifact(tmp_path / "artifacts", "1.0")
    artifacts.push(file_store, local)

    document, gzipped = artifacts.fetch_table_document(file_store, local.manifest)

    assert (document, gzipped) == (
        artifacts.fetch_table(file_store, local.manifest)[0].to_bytes(),
        local.table.read_bytes(),
    )


def test_a_table_that_does_not_add_up_to_the_tree_is_not_believed(tmp_path: Path) -> None:
    local = write_artifact(tmp_path / "artifacts", "1.0")
    lying = local.manifest.model_copy(update={"tree_sha256": "0" * 64})

    with pytest.raises(CorruptArtifact, match="not the file table"):
        artifacts.verify_local(replace(local, manifest=lying))


def test_a_local_version_that_was_never_built_is_answered_with_those_that_were(
    tmp_path: Path,
) -> None:
    write_artifact(tmp_path, "1.4.1")
    write_artifact(tmp_path, "2.0", app="shop-admin")

    with pytest.raises(UnknownVersion) as caught:
        artifacts.load_local(tmp_path, "shop", "1.4.2")

    assert f"shop 1.4.2 is not in {tmp_path}; there are 1.4.1" in caught.value.message
    assert "Did you mean 1.4.1? " in caught.value.hint
    assert "castoff build --version 1.4.2" in caught.value.hint


@pytest.mark.parametrize("kind", ["tarball", "zipapp"])
def test_what_was_built_verifies(tmp_path: Path, kind: Format) -> None:
    local = write_artifact(tmp_path, "1.0", kind=kind)

    assert artifacts.verify_local(local).files[0].sha256 == sha256(b"print('hello')\n")
    suffix = "tar.gz" if kind == "tarball" else "pyz"
    assert local.archive.name == f"shop-1.0.{suffix}"
    assert local.manifest.archive.name == f"archive.{local.manifest.archive.sha256}.{suffix}"


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "harm",
    [
        lambda local: damage(local.archive),
        lambda local: damage(local.table),
        lambda local: local.archive.write_bytes(local.archive.read_bytes() + b"\0"),
        lambda local: local.archive.write_bytes(b""),
    ],
    ids=["archive", "table", "longer", "empty"],
)
def test_a_damaged_file_is_named_and_never_pushed(
    file_store: FileStore, tmp_path: Path, harm: Callable[[LocalArtifact], None]
) -> None:
    local = write_artifact(tmp_path / "artifacts", "1.0")
    harm(local)

    with pytest.raises(CorruptArtifact, match=r"shop-1\.0\.(tar\.gz|files\.json\.gz)"):
        artifacts.push(file_store, local)

    assert list(file_store.entries("")) == []


def test_a_damaged_file_of_a_version_that_is_there_is_not_called_the_same(
    file_store: FileStore, tmp_path: Path
) -> None:
    local = write_artifact(tmp_path / "artifacts", "1.0")
    artifacts.push(file_store, local)
    local.archive.write_bytes(local.archive.read_bytes() + b"x")
    with pytest.raises(CorruptArtifact, match=r"shop-1\.0\.tar\.gz"):
        artifacts.push(file_store, local)


def test_a_table_that_names_other_bytes_of_the_archive_is_found_out(tmp_path: Path) -> None:
    local = write_artifact(tmp_path, "1.0")
    archive = local.archive.read_bytes() + b"more"
    local.archive.write_bytes(b"more" + archive)
    blob = local.manifest.archive.model_copy(
        update={"size": len(archive) + 4, "sha256": sha256(b"more" + archive)}
    )

    with pytest.raises(CorruptArtifact, match="the member at byte 0"):
        artifacts.verify_local(
            replace(local, manifest=local.manifest.model_copy(update={"archive": blob}))
        )


def test_a_missing_file_of_an_artifact_is_named(tmp_path: Path) -> None:
    write_artifact(tmp_path, "1.0")
    (tmp_path / names.local_table("shop", "1.0")).unlink()

    with pytest.raises(CorruptArtifact, match=r"shop-1\.0\.files\.json\.gz is missing"):
        artifacts.load_local(tmp_path, "shop", "1.0")
