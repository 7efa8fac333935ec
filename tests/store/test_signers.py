"""The allowed signers file: read as ssh-keygen reads it, and added to with care."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.store.errors import StoreError, UsageError
from castoff.store.signature import NAMESPACE, sign, verify
from castoff.store.signers import add_signer, read_public_key, read_signers
from support.ssh_keys import make_key, public


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return make_key(tmp_path / "alice")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trust" / "castoff.signers"


def test_an_added_key_counts_for_manifests_alone(path: Path, key: Path) -> None:
    assert add_signer(path, "alice@example.org", read_public_key(public(key)))

    (signer,) = read_signers(path)
    assert signer.principals == "alice@example.org"
    assert signer.options == f'namespaces="{NAMESPACE}"'
    assert signer.key == read_public_key(public(key))


def test_adding_twice_changes_nothing(path: Path, key: Path) -> None:
    add_signer(path, "alice", read_public_key(public(key)))
    before = path.read_text()

    assert not add_signer(path, "alice", read_public_key(public(key)))

    assert path.read_text() == before


def test_one_key_is_not_added_under_two_names(path: Path, key: Path) -> None:
    add_signer(path, "alice", read_public_key(public(key)))

    with pytest.raises(UsageError, match="is there already, as alice"):
        add_signer(path, "bob", read_public_key(public(key)))


def test_what_was_in_the_file_stays(path: Path, key: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.write_text("# who may release\n\n" + f"old {public(key).read_text()}".rstrip())

    add_signer(path, "bob", read_public_key(public(make_key(tmp_path / "bob"))))

    assert path.read_text().startswith("# who may release\n\nold ssh-ed25519 ")
    assert [signer.principals for signer in read_signers(path)] == ["old", "bob"]


def test_quoted_names_and_options_with_spaces_are_read(path: Path, key: Path) -> None:
    path.parent.mkdir()
    options = 'namespaces="git,castoff-manifest-v1",valid-after="20200101"'
    path.write_text(f'"alice,al" {options} {public(key).read_text()}')

    (signer,) = read_signers(path)

    assert (signer.principals, signer.options) == ("alice,al", options)
    assert verify(b"x", sign(b"x", key), path) == "alice"


@pytest.mark.parametrize("line", ["alone", "a b c", "a ssh-ed25519 AAAA", "a ssh-ed25519 %%"])
def test_a_broken_line_is_named_by_number(path: Path, line: str) -> None:
    path.parent.mkdir()
    path.write_text(f"# one\n{line}\n")

    with pytest.raises(StoreError, match=r"castoff\.signers:2: not an entry"):
        read_signers(path)


@pytest.mark.parametrize("name", ["", "*", "a b", "a,b", '"a"', "!a", "-a", "a?", "a\n"])
def test_a_name_that_could_be_a_pattern_is_refused(path: Path, key: Path, name: str) -> None:
    with pytest.raises(UsageError, match="not a signer's name"):
        add_signer(path, name, read_public_key(public(key)))

    assert not path.exists()


def test_a_private_key_is_never_taken_for_a_public_one(key: Path) -> None:
    with pytest.raises(UsageError, match="private key, which never leaves") as caught:
        read_public_key(key)

    assert "alice.pub" in caught.value.hint


@pytest.mark.parametrize("text", ["", "hello", "ssh-ed25519 AAAA", "ssh-rsa AAAAC3NzaC1lZDI1NTE5"])
def test_what_is_no_public_key_is_called_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "key.pub").write_text(text)

    with pytest.raises(UsageError, match="not an SSH public key"):
        read_public_key(tmp_path / "key.pub")


def test_a_file_of_two_keys_is_refused(tmp_path: Path, key: Path) -> None:
    both = tmp_path / "both.pub"
    both.write_text(public(key).read_text() * 2)

    with pytest.raises(UsageError, match="not an SSH public key"):
        read_public_key(both)
