"""A server that says nothing to a key has not refused it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

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
