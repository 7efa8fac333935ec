"""How a command's end is told of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from castoff.releaser.transports.ssh import SshChannel


@pytest.mark.parametrize(
    ("status", "told"),
    [(127, "exit status 127"), (0, "exit status 0"), (-1, "it ended without an exit status, as")],
)
def test_a_command_that_was_killed_has_no_exit_status(status: int, told: str) -> None:
    # What paramiko has of a channel whose command a signal ended.
    ended: Any = SimpleNamespace(
        exit_status_ready=lambda: True,
        recv_exit_status=lambda: status,
        recv_stderr_ready=lambda: False,
    )
    connection: Any = None
    complaints = SshChannel(ended, connection).complaints()
    assert complaints.startswith(told)
    assert "-1" not in complaints
