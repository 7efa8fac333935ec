"""A memcached of its own for a test."""

from __future__ import annotations

import contextlib
import getpass
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.ports import free_ports
from support.released import listens
from support.traps import wait_until


@dataclass(frozen=True)
class Memcached:
    """A running server, on a port or on a socket."""

    address: str

    def ask(self, text: str, ending: str) -> str:
        """Say something in its language; return what it answers, to an ending."""
        with self._connect() as peer:
            peer.sendall(text.encode())
            heard = b""
            while not heard.endswith(ending.encode()):
                heard += peer.recv(4096)
        return heard.decode()

    def set(self, key: str, value: str) -> None:
        """Store a value."""
        said = self.ask(f"set {key} 0 0 {len(value)}\r\n{value}\r\n", "\r\n")
        assert said == "STORED\r\n"

    def has(self, key: str) -> bool:
        """Whether a value is there."""
        return self.ask(f"get {key}\r\n", "END\r\n") != "END\r\n"

    def _connect(self) -> socket.socket:
        if self.address.startswith("/"):
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(self.address)
            return peer
        host, _, port = self.address.rpartition(":")
        return socket.create_connection((host, int(port)))


@contextlib.contextmanager
def memcached(unix: Path | None = None) -> Iterator[Memcached]:
    """Run it; skip the test where it is not installed."""
    if shutil.which("memcached") is None:
        pytest.skip("memcached is not installed")
    (port,) = free_ports(1)
    place = ["-s", str(unix)] if unix else ["-l", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(["memcached", "-u", getpass.getuser(), *place])
    try:
        wait_until(unix.exists if unix else lambda: listens(port), "memcached does not start")
        yield Memcached(str(unix) if unix else f"127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()
