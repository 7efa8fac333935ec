"""Hosts that are to be provisioned are connected to a few at once."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from castoff.store.errors import ExitCode
from support.fleet import Fleet
from support.provisioning import Provisioning

HOSTS = 4


class Silent:
    """A server that takes connections and says nothing on them; `most` were open at once."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.taken = 0
        self.most = 0
        threading.Thread(target=self._take, daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _take(self) -> None:
        held: list[socket.socket] = []
        with contextlib.suppress(OSError):
            while True:
                held.append(self._listener.accept()[0])
                self.taken += 1
                # What was closed before this one was asked for has said so by now.
                held = [one for one in held if _is_open(one)]
                self.most = max(self.most, len(held))
        for one in held:
            one.close()


def _is_open(connection: socket.socket) -> bool:
    try:
        while connection.recv(4096, socket.MSG_DONTWAIT):
            pass
    except BlockingIOError:
        return True
    except ConnectionError:
        pass
    connection.close()
    return False


@pytest.fixture
def silent() -> Iterator[Silent]:
    server = Silent()
    yield server
    server.close()


def test_as_many_as_the_option_says_are_connected_to_at_once(
    tmp_path: Path, silent: Silent
) -> None:
    fleet = Fleet((), "", tmp_path / "key", tmp_path / "known_hosts", isolated=False)
    project = Provisioning(tmp_path, fleet)
    hosts = "".join(
        f"""
[[environments.test.hosts]]
name = "web{number}"
address = "127.0.0.1"
port = {silent.port}
user = "root"
root = "/srv/{number}"
"""
        for number in range(HOSTS)
    )
    project.write("packages = []", hosts=hosts)
    text = (tmp_path / "castoff.toml").read_text()
    (tmp_path / "castoff.toml").write_text(text.replace("connect = 5", "connect = 1"))

    done = project.run("--check", "--concurrency", "2")

    assert done.returncode == ExitCode.UNREACHABLE, done.stderr
    assert done.stderr.count(": cannot connect to 127.0.0.1 port ") == HOSTS
    assert silent.taken == HOSTS
    assert silent.most == 2
