"""A server that says nothing to a key has not refused it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from paramiko.common import AUTH_SUCCESSFUL, OPEN_SUCCEEDED

from castoff.releaser.errors import HostUnreachable
from castoff.releaser.transports import ssh
from castoff.releaser.transports.route import Hop
from castoff.releaser.transports.ssh import SshTransport
from support.fleet import make_key, write_known_hosts
from support.silent_sshd import silent_sshd


@pytest.fixture
def hop(tmp_path: Path) -> Iterator[Hop]:
    host_key = make_key(tmp_path / "host_key")
    make_key(tmp_path / "id_ed25519")
    with silent_sshd(tmp_path / "host_key") as port:
        write_known_hosts(tmp_path / "known_hosts", [("127.0.0.1", port, host_key)])
        yield Hop(
            host="web1",
            part="",
            address="127.0.0.1",
            port=port,
            user="root",
            keys=(tmp_path / "id_ed25519",),
            only_keys=True,
            known_hosts=(tmp_path / "known_hosts",),
        )


def test_it_is_said_to_be_silent(hop: Hop) -> None:
    with pytest.raises(HostUnreachable) as caught:
        SshTransport().connect([hop], timeout=1)
    assert "no answer in time" in caught.value.detail
    assert "refused" not in caught.value.detail


def test_it_is_asked_again_where_this_process_could_not_hear_it(
    monkeypatch: pytest.MonkeyPatch, hop: Hop
) -> None:
    monkeypatch.setattr(ssh, "now", lambda: time.monotonic() / 10)
    connection = SshTransport().connect([hop], timeout=1)
    assert connection.transport.is_authenticated()
    connection.close()


class _StartsNothing(paramiko.ServerInterface):
    """A server that lets everybody in, and then says nothing to a command."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.answered = False

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        """Take any key."""
        del username, key
        return AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """Open any channel."""
        del kind, chanid
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        """Think about it."""
        del channel, command
        self.over.wait(20)
        self.answered = True
        return False


def test_a_command_that_is_not_answered_is_not_waited_for(tmp_path: Path) -> None:
    host_key = make_key(tmp_path / "host_key")
    make_key(tmp_path / "id_ed25519")
    server = _StartsNothing()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve() -> None:
            transport = paramiko.Transport(listener.accept()[0])
            transport.add_server_key(paramiko.PKey.from_path(tmp_path / "host_key"))
            transport.start_server(server=server)
            server.over.wait(30)
            transport.close()

        thread = threading.Thread(target=serve)
        thread.start()
        write_known_hosts(tmp_path / "known_hosts", [("127.0.0.1", port, host_key)])
        hop = Hop(
            host="web1",
            part="",
            address="127.0.0.1",
            port=port,
            user="root",
            keys=(tmp_path / "id_ed25519",),
            only_keys=True,
            known_hosts=(tmp_path / "known_hosts",),
        )
        with pytest.raises(HostUnreachable) as caught:
            SshTransport().open("true", [hop], timeout=1.5)
        assert not server.answered
        assert "no answer in time" in caught.value.detail
        server.over.set()
        thread.join()
