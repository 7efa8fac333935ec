"""Several commands over one connection to a host: what ails one of them is not the others' end."""

from __future__ import annotations

from contextlib import closing

import pytest

from castoff.releaser.errors import HostUnreachable
from castoff.releaser.transports.route import route
from castoff.releaser.transports.ssh import SshTransport
from castoff.releaser.transports.ssh_config import SshConfig
from support.fleet_fixtures import MakeFleet
from support.resolved import resolved

LIMIT = 60.0


@pytest.mark.fleet
def test_whoever_has_hardly_any_time_left_hangs_up_on_nobody(make_fleet: MakeFleet) -> None:
    (there,) = make_fleet(1).hosts
    host = resolved(there)
    assert host.known_hosts is not None
    transport, way = SshTransport([host.known_hosts]), route(host, SshConfig(), login="root")
    command = "echo $PPID; exec cat"
    with closing(transport.open(command, way, timeout=LIMIT, shared=True)) as first:
        server = int(first.receive(timeout=LIMIT))
        there.run(f"kill -STOP {server}")
        try:
            with pytest.raises(HostUnreachable, match="no answer in time"):
                transport.open("true", way, timeout=0.2, shared=True)
        finally:
            there.run(f"kill -CONT {server}")
        first.send(b"still there", timeout=LIMIT)
        assert first.receive(timeout=LIMIT) == b"still there"
