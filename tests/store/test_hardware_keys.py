"""Signatures of keys that are in hardware: by a token made of software, and by OpenSSH's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.store.errors import SigningFailed, Untrusted
from castoff.store.signature import NAMESPACE, sign, verify
from castoff.store.signers import add_signer, read_public_key
from castoff.store.sshsig import read_envelope
from support.hardware_key import HardwareKey
from support.ssh_keys import make_key, public, ssh_agent

DATA = b'{"app":"shop","version":"1.0"}'
# OpenSSH's authenticator for its own tests; Debian has it in the package openssh-tests.
DUMMY = Path("/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so")


@pytest.fixture
def token() -> HardwareKey:
    return HardwareKey()


@pytest.fixture
def signers(tmp_path: Path, token: HardwareKey) -> Path:
    (tmp_path / "token.pub").write_text(token.public)
    path = tmp_path / "castoff.signers"
    add_signer(path, "erin@example.org", read_public_key(tmp_path / "token.pub"))
    return path


def test_what_a_token_signed_is_verified_under_its_owners_name(
    token: HardwareKey, signers: Path
) -> None:
    for _ in range(2):
        signature = token.sign(DATA, NAMESPACE)
        assert verify(DATA, signature, signers) == "erin@example.org"
    assert read_envelope(signature).namespace == NAMESPACE


def test_other_bytes_another_purpose_and_another_token_count_for_nothing(
    token: HardwareKey, signers: Path
) -> None:
    with pytest.raises(Untrusted, match="signed other bytes"):
        verify(DATA + b" ", token.sign(DATA, NAMESPACE), signers)
    with pytest.raises(Untrusted, match="was made for 'git'"):
        verify(DATA, token.sign(DATA, "git"), signers)
    with pytest.raises(Untrusted, match="does not count"):
        verify(DATA, HardwareKey().sign(DATA, NAMESPACE), signers)


@pytest.mark.skipif(not DUMMY.is_file(), reason="needs OpenSSH's sk-dummy")
@pytest.mark.parametrize("kind", ["ed25519-sk", "ecdsa-sk"])
@pytest.mark.parametrize("by_agent", [False, True])
def test_castoff_signs_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, by_agent: bool
) -> None:
    monkeypatch.setenv("SSH_SK_PROVIDER", str(DUMMY))
    key = make_key(tmp_path / "token", kind=kind)
    path = tmp_path / "castoff.signers"
    add_signer(path, "erin", read_public_key(public(key)))
    if by_agent:
        alone = tmp_path / "elsewhere.pub"
        alone.write_bytes(public(key).read_bytes())
        with ssh_agent(key) as socket:
            monkeypatch.setenv("SSH_AUTH_SOCK", socket)
            signature = sign(DATA, alone)
    else:
        signature = sign(DATA, key)

    assert verify(DATA, signature, path) == "erin"


@pytest.mark.skipif(not DUMMY.is_file(), reason="needs OpenSSH's sk-dummy")
def test_a_token_that_is_not_plugged_in_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_SK_PROVIDER", str(DUMMY))
    key = make_key(tmp_path / "token", kind="ed25519-sk")
    monkeypatch.delenv("SSH_SK_PROVIDER")
    with pytest.raises(SigningFailed, match="device not found") as caught:
        sign(DATA, key)
    assert "plugged in" in caught.value.hint
