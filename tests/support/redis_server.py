"""A Redis of its own for a test, with a password, on a port and on a unix socket."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.ports import free_ports
from support.traps import wait_until

PASSWORD = "p4ss:wörd"


class Redis:
    """A running server.

    Attributes:
        address: Where it listens.
        port: The same.
        unix: Its socket.
    """

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        self.address = address
        (self.port,) = free_ports(1)
        self.unix = folder / "redis.sock"
        self._folder = folder

    def start(self) -> subprocess.Popen[bytes]:
        """Start it; the caller ends it."""
        config = self._folder / "redis.conf"
        config.write_text(
            f"port {self.port}\nbind {self.address}\nunixsocket {self.unix}\n"
            f'requirepass "{PASSWORD}"\n'
            f'save ""\ndir {self._folder}\nlogfile {self._folder}/log\n',
            encoding="utf-8",
        )
        return subprocess.Popen(["redis-server", str(config)], stdout=subprocess.DEVNULL)

    def cli(self, *words: str, database: int = 0, given: str | None = None) -> str:
        """Return what redis-cli prints."""
        # Process lists are searched for passwords.
        done = subprocess.run(
            ["redis-cli", "-s", str(self.unix), "-n", str(database), *words],
            env={**os.environ, "REDISCLI_AUTH": PASSWORD},
            input=given,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def keys(self, database: int = 0) -> set[str]:
        """Return all keys of a database."""
        return set(self.cli("KEYS", "*", database=database).split())


@contextlib.contextmanager
def redis_server(folder: Path, address: str = "127.0.0.1") -> Iterator[Redis]:
    """Run it; skip the test where it is not installed."""
    if shutil.which("redis-server") is None:
        pytest.skip("Redis is not installed")
    made = Redis(folder, address)
    process = made.start()
    try:
        wait_until(made.unix.exists, "Redis does not start")
        yield made
    finally:
        process.terminate()
        process.wait()
