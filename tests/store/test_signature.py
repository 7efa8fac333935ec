"""Signatures: what counts, and the plain words for everything that does not."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from castoff.store.errors import ExitCode, SigningFailed, Untrusted
from castoff.store.signature import NAMESPACE, check, sign, verify
from castoff.store.signers import add_signer, read_public_key
from castoff.store.sshsig import read_envelope
from support.ssh_keys import make_key, public, raw_signature, ssh_agent

DATA = b'{"app":"shop","version":"1.0"}'


@pytest.fixture
def alice(tmp_path: Path) -> Path:
    return make_key(tmp_path / "alice")


@pytest.fixture
def signers(tmp_path: Path, alice: Path) -> Path:
    """Return a file in which alice alone may sign."""
    path = tmp_path / "castoff.signers"
    add_signer(path, "alice@example.org", read_public_key(public(alice)))
    return path


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_what_a_key_signed_is_verified_under_its_owners_name(tmp_path: Path, kind: str) -> None:
    key = make_key(tmp_path / "key", kind=kind)
    path = tmp_path / "castoff.signers"
    add_signer(path, "carol", read_public_key(public(key)))

    assert verify(DATA, sign(DATA, key), path) == "carol"


def test_a_public_key_signs_through_the_agent(
    tmp_path: Path, alice: Path, signers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = tmp_path / "elsewhere" / "alice.pub"
    alone.parent.mkdir()
    alone.write_bytes(public(alice).read_bytes())
    with ssh_agent(alice) as socket:
        monkeypatch.setenv("SSH_AUTH_SOCK", socket)
        signature = sign(DATA, alone)

    assert verify(DATA, signature, signers) == "alice@example.org"


def test_other_bytes_than_were_signed_are_refused(alice: Path, signers: Path) -> None:
    signature = sign(DATA, alice)

    with pytest.raises(Untrusted, match=r"shop 1\.0 does not fit: SHA256:\S+ signed other bytes"):
        verify(DATA + b" ", signature, signers, what="shop 1.0")


def test_a_signer_who_is_not_in_the_file_is_refused_by_fingerprint(
    tmp_path: Path, signers: Path
) -> None:
    mallory = make_key(tmp_path / "mallory")

    with pytest.raises(Untrusted) as caught:
        verify(DATA, sign(DATA, mallory), signers, what="shop 1.0")

    assert read_public_key(public(mallory)).fingerprint in caught.value.message
    assert str(signers) in caught.value.message
    assert "castoff keys add" in caught.value.hint
    assert caught.value.exit_code == ExitCode.UNTRUSTED


def test_a_signature_for_another_purpose_is_refused(alice: Path, signers: Path) -> None:
    with pytest.raises(Untrusted, match="made for 'git', not for 'castoff-manifest-v1'"):
        verify(DATA, raw_signature(alice, DATA, "git"), signers)


def test_a_key_that_the_file_allows_for_something_else_alone_is_refused(
    tmp_path: Path, alice: Path
) -> None:
    path = tmp_path / "others.signers"
    path.write_text(f'alice namespaces="git" {public(alice).read_text()}')

    with pytest.raises(Untrusted, match=r"does not count.*namespace"):
        verify(DATA, sign(DATA, alice), path)


def test_a_key_whose_time_is_over_is_refused(tmp_path: Path, alice: Path) -> None:
    path = tmp_path / "old.signers"
    path.write_text(f'alice valid-before="20200101" {public(alice).read_text()}')

    with pytest.raises(Untrusted, match=r"does not count.*expired"):
        verify(DATA, sign(DATA, alice), path)


def test_without_a_file_of_signers_nobody_counts(tmp_path: Path, alice: Path) -> None:
    with pytest.raises(Untrusted, match="no such file, so nobody's signature counts"):
        verify(DATA, sign(DATA, alice), tmp_path / "castoff.signers")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"junk",
        b"\xff\xfe",
        b"-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n",
        b"-----BEGIN SSH SIGNATURE-----\n%%%\n-----END SSH SIGNATURE-----\n",
        b"-----BEGIN SSH SIGNATURE-----\n"
        + base64.b64encode(b"SSHSIG\0\0\0\2" + b"\0" * 64)
        + b"\n-----END SSH SIGNATURE-----\n",
        b"-----BEGIN SSH SIGNATURE-----\n"
        + base64.b64encode(b"SSHSIG\0\0\0\1\xff\xff\xff\xff")
        + b"\n-----END SSH SIGNATURE-----\n",
    ],
)
def test_what_is_no_signature_is_called_so(signers: Path, text: bytes) -> None:
    with pytest.raises(Untrusted, match="cannot be read"):
        verify(DATA, text, signers)


def test_an_envelope_around_a_wrong_signature_is_refused(alice: Path) -> None:
    lines = sign(DATA, alice).decode().splitlines()
    blob = bytearray(base64.b64decode("".join(lines[1:-1])))
    blob[-1] ^= 1
    forged = "\n".join([lines[0], base64.b64encode(blob).decode(), lines[-1], ""]).encode()

    with pytest.raises(Untrusted, match="does not fit"):
        check(DATA, forged)


def test_the_envelope_names_key_and_purpose(alice: Path) -> None:
    envelope = read_envelope(sign(DATA, alice))

    assert envelope.public_key == read_public_key(public(alice)).blob
    assert envelope.namespace == NAMESPACE


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SigningFailed, match="nowhere: no such key file") as caught:
        sign(DATA, tmp_path / "nowhere")

    assert caught.value.exit_code == ExitCode.BUILD


def test_a_key_that_others_may_read_is_told_of_as_that(tmp_path: Path) -> None:
    key = make_key(tmp_path / "key")
    key.chmod(0o644)
    with pytest.raises(SigningFailed) as refused:
        sign(b"data", key)
    assert refused.value.hint == f"Others may read it, so it is not used: chmod 600 {key}"


def test_a_public_key_without_its_private_half_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    key = make_key(tmp_path / "half")
    key.unlink()

    with pytest.raises(SigningFailed, match="cannot sign with it: No private key") as caught:
        sign(DATA, public(key))

    assert "ssh-add" in caught.value.hint


def test_a_machine_without_ssh_keygen_is_told_what_to_install(
    alice: Path, signers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signature = sign(DATA, alice)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SigningFailed, match="not installed") as cannot_sign:
        sign(DATA, alice)
    with pytest.raises(Untrusted, match="not installed"):
        verify(DATA, signature, signers)

    assert "openssh-client" in cannot_sign.value.hint
