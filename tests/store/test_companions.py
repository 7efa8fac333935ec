"""Signature, SBOM and provenance travel with their version, and never publish it."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.store import artifacts, keys, names
from castoff.store.artifacts import LocalArtifact
from castoff.store.backend import Store
from castoff.store.beside import write_beside
from castoff.store.companions import sign_local, signature_path
from castoff.store.errors import ImmutableVersion, StoreError, Untrusted
from castoff.store.file import FileStore
from castoff.store.signers import add_signer, read_public_key
from support.ssh_keys import make_key, public
from support.tiny_artifact import write_artifact


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return make_key(tmp_path / "alice")


@pytest.fixture
def signers(tmp_path: Path, key: Path) -> Path:
    path = tmp_path / "castoff.signers"
    add_signer(path, "alice", read_public_key(public(key)))
    return path


@pytest.fixture
def local(tmp_path: Path) -> LocalArtifact:
    return write_artifact(tmp_path / "artifacts", "1.0")


def test_a_signed_version_is_fetched_under_its_signers(
    store: Store, local: LocalArtifact, key: Path, signers: Path
) -> None:
    sign_local(local, key)

    pushed = artifacts.push(store, local)

    assert (pushed.created, pushed.added) == (True, ("signature",))
    manifest, data = artifacts.fetch_manifest(store, "shop", "1.0", signers=signers)
    assert data == local.manifest_bytes
    assert manifest == local.manifest


def test_attestations_go_with_the_version(file_store: FileStore, local: LocalArtifact) -> None:
    folder = local.archive.parent
    write_beside(folder / names.local_sbom("shop", "1.0"), b"{sbom}")
    write_beside(folder / names.local_provenance("shop", "1.0"), b"{provenance}")

    assert artifacts.push(file_store, local).added == ("sbom", "provenance")

    assert file_store.read(keys.sbom("shop", "1.0")).data == b"{sbom}"
    assert file_store.read(keys.provenance("shop", "1.0")).data == b"{provenance}"


def test_an_unsigned_version_is_told_from_one_wrongly_signed(
    file_store: FileStore, local: LocalArtifact, key: Path, signers: Path, tmp_path: Path
) -> None:
    artifacts.push(file_store, local)
    with pytest.raises(Untrusted, match=r"shop 1\.0 in file://store is not signed"):
        artifacts.fetch_manifest(file_store, "shop", "1.0", signers=signers)

    other = write_artifact(tmp_path / "other", "1.0", b"other")
    file_store.create(keys.signature("shop", "1.0"), sign_local(other, key).read_bytes())
    with pytest.raises(Untrusted, match=r"shop 1\.0 in file://store does not fit"):
        artifacts.fetch_manifest(file_store, "shop", "1.0", signers=signers)


def test_the_signature_is_checked_before_the_manifest_is_parsed(
    file_store: FileStore, signers: Path
) -> None:
    file_store.create(keys.manifest("shop", "1.0"), b"[" * 100_000)

    with pytest.raises(Untrusted, match="is not signed"):
        artifacts.fetch_manifest(file_store, "shop", "1.0", signers=signers)


def test_a_signature_can_come_later_and_be_made_anew(
    store: Store, local: LocalArtifact, key: Path, tmp_path: Path
) -> None:
    artifacts.push(store, local)
    sign_local(local, make_key(tmp_path / "bob"))
    assert artifacts.push(store, local).added == ("signature",)
    sign_local(local, key)

    again = artifacts.push(store, local)

    assert (again.created, again.added) == (False, ("signature",))
    assert artifacts.fetch_signature(store, "shop", "1.0") == signature_path(local).read_bytes()
    assert artifacts.push(store, local).added == ()


def test_a_signature_of_something_else_is_never_pushed(
    file_store: FileStore, local: LocalArtifact, key: Path, tmp_path: Path
) -> None:
    other = write_artifact(tmp_path / "other", "1.0", b"other")
    signature_path(local).write_bytes(sign_local(other, key).read_bytes())

    with pytest.raises(Untrusted, match="does not fit"):
        artifacts.push(file_store, local)

    assert list(file_store.entries("")) == []


def test_who_pushes_other_bytes_leaves_the_signature_as_it_is(
    file_store: FileStore, local: LocalArtifact, key: Path, tmp_path: Path
) -> None:
    sign_local(local, key)
    artifacts.push(file_store, local)
    other = write_artifact(tmp_path / "other", "1.0", b"other")
    sign_local(other, key)

    with pytest.raises(ImmutableVersion):
        artifacts.push(file_store, other)

    assert (
        artifacts.fetch_signature(file_store, "shop", "1.0") == signature_path(local).read_bytes()
    )


def test_the_signature_that_a_broken_push_left_is_replaced(
    file_store: FileStore, local: LocalArtifact, key: Path, signers: Path, tmp_path: Path
) -> None:
    other = write_artifact(tmp_path / "other", "1.0", b"other")
    file_store.create(keys.signature("shop", "1.0"), sign_local(other, key).read_bytes())
    sign_local(local, key)

    artifacts.push(file_store, local)

    artifacts.fetch_manifest(file_store, "shop", "1.0", signers=signers)


def test_a_signature_that_cannot_be_written_is_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file or directory"):
        write_beside(tmp_path / "nowhere" / "x.sig", b"")
