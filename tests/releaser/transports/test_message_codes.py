"""Messages of SSH whose authentication code is not the right one end the connection."""

from __future__ import annotations

import hashlib
import hmac
import socket
import sys
import types
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from castoff.releaser.transports.ssh_library import load

load()

import paramiko  # noqa: E402 (loaded as everywhere)
from paramiko.packet import Packetizer  # noqa: E402

_KEY = b"k" * 16
_CODE = hashlib.sha256


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with closing(one), closing(other):
        yield one, other


def sent(message: bytes, code_key: bytes) -> bytes:
    """Return what goes over the wire for a message."""
    one, other = socket.socketpair()
    with closing(one), closing(other):
        # The stubs have other types than the library takes.
        packets: Any = Packetizer(one)
        cipher = Cipher(AES(_KEY), CTR(_KEY)).encryptor()
        packets.set_outbound_cipher(cipher, 16, _CODE, 32, code_key, sdctr=True, etm=True)
        text = paramiko.Message(message)
        packets.send_message(text)
        return other.recv(4096)


def read(wire: bytes, ends: tuple[socket.socket, socket.socket]) -> bytes:
    one, other = ends
    one.sendall(wire)
    packets: Any = Packetizer(other)
    cipher = Cipher(AES(_KEY), CTR(_KEY)).decryptor()
    packets.set_inbound_cipher(cipher, 16, _CODE, 32, b"right", etm=True)
    kind, message = packets.read_message()
    rest: bytes = message.get_remainder()
    return bytes([kind]) + rest


def test_the_right_code_is_taken(ends: tuple[socket.socket, socket.socket]) -> None:
    assert read(sent(b"\x5ehello", b"right"), ends) == b"\x5ehello"


@pytest.mark.parametrize("at", [-1, -32, 10])
def test_a_changed_byte_is_not(at: int, ends: tuple[socket.socket, socket.socket]) -> None:
    wire = bytearray(sent(b"\x5ehello", b"right"))
    wire[at] ^= 1
    with pytest.raises(paramiko.SSHException, match="MAC"):
        read(bytes(wire), ends)


def test_codes_are_compared_by_the_standard_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was loaded before."""
    from paramiko import util

    monkeypatch.setitem(sys.modules, "invoke", types.ModuleType("invoke"))
    monkeypatch.setattr(util, "constant_time_bytes_eq", None)
    load()
    assert util.constant_time_bytes_eq is hmac.compare_digest
