"""What a controller signs for a relay, and what it does not."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from castoff.releaser.errors import HostKeyRejected, HostUnreachable
from castoff.releaser.transports.hostkeys import TrustedKeys
from castoff.releaser.transports.key_service import KeyService
from castoff.releaser.transports.route import Hop
from support.fleet import make_key

FAILURE, SUCCESS, LISTED, SIGNED, NO_EXTENSION = 5, 6, 12, 14, 28
SESSION = b"the hash of one key exchange"


class Ground:
    """A host whose key is known, and a key that it lets in."""

    def __init__(self, folder: Path) -> None:
        make_key(folder / "id")
        make_key(folder / "host")
        self.host = paramiko.PKey.from_path(folder / "host")
        self.key = paramiko.PKey.from_path(folder / "id")
        known = folder / "known_hosts"
        known.write_text(f"192.0.2.1 {self.host.get_name()} {self.host.get_base64()}\n")
        self.hop = Hop("web2", "", "192.0.2.1", 22, "deploy", (folder / "id",), only_keys=True)
        self.trusted = TrustedKeys([known], own=())
        self.service = KeyService(self.hop, self.trusted)

    def bind(self, host: paramiko.PKey | None = None, *, forwarding: bool = False) -> int:
        """Prove to lead to a host; return the kind of the answer."""
        host = host or self.host
        return self.kind(
            message(
                27,
                b"session-bind@openssh.com",
                host.asbytes(),
                SESSION,
                proof(host),
                end=bytes([forwarding]),
            )
        )

    def login(self, *, user: bytes = b"deploy", session: bytes = SESSION) -> bytes:
        """Return what a client has signed to log in."""
        blob = self.key.asbytes()
        words = (user, b"ssh-connection", b"publickey")
        return (
            text(session)
            + bytes([50])
            + b"".join(map(text, words))
            + b"\x01"
            + text(b"ssh-ed25519")
            + text(blob)
        )

    def sign(self, data: bytes) -> bytes:
        """Ask for a signature; return the answer."""
        return self.service.answer(message(13, self.key.asbytes(), data, end=bytes(4)))

    def kind(self, request: bytes) -> int:
        """Return the kind of an answer."""
        return self.service.answer(request)[0]


def proof(key: paramiko.PKey) -> bytes:
    """Return a key's signature of the session."""
    signature = key.sign_ssh_data(SESSION)
    return signature if isinstance(signature, bytes) else signature.asbytes()


def text(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def message(kind: int, *words: bytes, end: bytes = b"") -> bytes:
    return bytes([kind]) + b"".join(map(text, words)) + end


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ground:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return Ground(tmp_path)


def test_the_login_to_the_host_itself_is_signed(ground: Ground) -> None:
    listed = paramiko.Message(ground.service.answer(bytes([11])))
    assert listed.get_byte()[0] == LISTED
    assert (listed.get_int(), listed.get_string()) == (1, ground.key.asbytes())
    assert ground.bind() == SUCCESS
    answer = paramiko.Message(ground.sign(ground.login()))
    assert answer.get_byte()[0] == SIGNED
    signature = paramiko.Message(answer.get_string())
    public = paramiko.PKey.from_type_string("ssh-ed25519", ground.key.asbytes())
    assert public.verify_ssh_sig(ground.login(), signature)
    assert ground.service.offered == [str(ground.hop.keys[0])]
    assert not ground.service.unbound


@pytest.mark.parametrize(("flags", "algorithm"), [(2, "rsa-sha2-256"), (4, "rsa-sha2-512")])
def test_an_rsa_key_signs_as_the_client_wants(
    ground: Ground, tmp_path: Path, flags: int, algorithm: str
) -> None:
    key = paramiko.RSAKey.generate(2048)
    key.write_private_key_file(str(tmp_path / "rsa"))
    ground.key = key
    hop = replace(ground.hop, keys=(tmp_path / "rsa",))
    ground.service = KeyService(hop, ground.trusted)
    assert ground.bind() == SUCCESS
    data = ground.login()
    request = message(13, key.asbytes(), data, end=struct.pack(">I", flags))
    answer = paramiko.Message(ground.service.answer(request))
    assert answer.get_byte()[0] == SIGNED
    signature = answer.get_string()
    assert paramiko.Message(signature).get_text() == algorithm
    assert key.verify_ssh_sig(data, paramiko.Message(signature))


def test_a_connection_that_proves_nothing_gets_no_signature(ground: Ground) -> None:
    assert ground.sign(ground.login())[0] == FAILURE
    assert ground.service.unbound


def test_a_connection_to_another_host_is_refused_by_name(ground: Ground, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    other = paramiko.PKey.from_path(tmp_path / "other")
    with pytest.raises(HostKeyRejected, match=r"web2: THE HOST KEY OF 192\.0\.2\.1 HAS CHANGED"):
        ground.bind(other)
    assert ground.sign(ground.login())[0] == FAILURE


def test_a_proof_that_is_another_hosts_is_none(ground: Ground, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    other = paramiko.PKey.from_path(tmp_path / "other")
    forged = message(
        27,
        b"session-bind@openssh.com",
        ground.host.asbytes(),
        SESSION,
        proof(other),
        end=b"\0",
    )
    assert ground.kind(forged) == FAILURE
    assert ground.sign(ground.login())[0] == FAILURE


def test_the_keys_are_not_handed_on_from_there(ground: Ground) -> None:
    assert ground.bind(forwarding=True) == FAILURE
    assert ground.sign(ground.login())[0] == FAILURE


@pytest.mark.parametrize(
    "changes", [{"user": b"root"}, {"session": b"of another connection"}], ids=["user", "session"]
)
def test_no_other_login_is_signed(ground: Ground, changes: dict[str, bytes]) -> None:
    assert ground.bind() == SUCCESS
    assert ground.sign(ground.login(**changes))[0] == FAILURE


@pytest.mark.parametrize("data", [b"", b"any document", text(SESSION), text(SESSION) + b"\x32"])
def test_nothing_but_a_login_is_signed(ground: Ground, data: bytes) -> None:
    assert ground.bind() == SUCCESS
    assert ground.sign(data)[0] == FAILURE


def test_what_it_does_not_know_it_refuses(ground: Ground) -> None:
    assert ground.kind(b"") == FAILURE
    assert ground.kind(bytes([17])) == FAILURE
    assert ground.kind(message(27, b"query")) == NO_EXTENSION
    assert ground.kind(message(27, b"session-bind@openssh.com", b"?", b"", b"")) == FAILURE


@pytest.mark.parametrize(
    "request_",
    [
        message(27, b"\xff"),
        message(27, b"session-bind@openssh.com", text(b"\xff"), SESSION, b"x"),
        message(27, b"session-bind@openssh.com", text(b"ssh-rsa") + text(b"\x80") * 2, b"", b""),
    ],
)
def test_what_is_no_message_of_ssh_is_refused(ground: Ground, request_: bytes) -> None:
    assert ground.kind(request_) == FAILURE


def test_an_agent_that_does_not_sign_refuses_the_login(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As an agent's key does whose user did not confirm (`ssh-add -c`).
    def refuse(*_: object) -> None:
        raise paramiko.SSHException("key cannot be used for signing")

    monkeypatch.setattr(type(ground.key), "sign_ssh_data", refuse)
    service = ground.service
    service._bound.add(SESSION)
    assert ground.sign(ground.login())[0] == FAILURE
    assert not service.unbound


def test_without_any_key_the_host_is_named(ground: Ground) -> None:
    service = KeyService(replace(ground.hop, keys=(), only_keys=False), ground.trusted)
    with pytest.raises(HostUnreachable, match=r"web2: login as deploy refused .*no agent"):
        service.answer(bytes([11]))
