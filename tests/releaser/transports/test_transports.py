"""The pieces of the transports that need no server; the rest is tested on real ones."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import cast

import paramiko
import pytest

from castoff.releaser.errors import ChannelClosed, ChannelTimeout, HostKeyRejected
from castoff.releaser.transports.connection import Part
from castoff.releaser.transports.hostkeys import TrustedKeys
from castoff.releaser.transports.local import LocalChannel
from castoff.releaser.transports.route import split_jump
from castoff.releaser.transports.ssh import SshChannel


@pytest.mark.parametrize(
    ("jump", "parts"),
    [
        ("gate", (None, "gate", None)),
        ("ops@gate", ("ops", "gate", None)),
        ("ops@gate:2222", ("ops", "gate", 2222)),
        ("ssh://gate:2222", (None, "gate", 2222)),
        ("ops@[fe80::1]:22", ("ops", "fe80::1", 22)),
        ("fe80::1", (None, "fe80::1", None)),
    ],
)
def test_a_jump_host_is_user_address_and_port(
    jump: str, parts: tuple[str | None, str, int | None]
) -> None:
    assert split_jump(jump) == parts


class Slow:
    """What paramiko's channel does with what it is to send: nothing in time, a number of bytes."""

    def __init__(self, *does: int | None) -> None:
        self._does = list(does)
        self.taken = b""

    def settimeout(self, timeout: float) -> None:
        """Waits no longer, so its time is always up by the plain clock."""

    def send(self, data: bytes) -> int:
        count = self._does.pop(0) if len(self._does) > 1 else self._does[0]
        if count is None:
            raise TimeoutError
        self.taken += data[:count]
        return min(count, len(data))


def ssh_channel(slow: Slow) -> SshChannel:
    return SshChannel(cast("paramiko.Channel", slow), cast("Part", None))


def test_a_send_goes_on_where_it_was_this_process_that_did_not_run() -> None:
    slow = Slow(None, 3, None, None, 4)
    ssh_channel(slow).send(b"all of this", timeout=60)
    assert slow.taken == b"all of this"


def test_a_send_ends_with_its_time_and_with_the_channel() -> None:
    with pytest.raises(ChannelTimeout):
        ssh_channel(Slow(3, None)).send(b"all of this", timeout=0.05)
    with pytest.raises(ChannelClosed):
        ssh_channel(Slow(3, 0)).send(b"all of this", timeout=60)


def test_a_local_channel_carries_bytes_both_ways() -> None:
    channel = LocalChannel("exec cat")
    channel.send(b"hello\n", timeout=5)
    assert channel.receive(timeout=5) == b"hello\n"
    channel.close()


def test_a_local_channel_says_how_its_command_ended() -> None:
    channel = LocalChannel("echo nonsense >&2; exit 3")
    with pytest.raises(ChannelClosed):
        channel.receive(timeout=5)
    assert channel.complaints() == "nonsense"
    channel.close()


def test_a_local_channel_that_is_silent_times_out() -> None:
    channel = LocalChannel(f"exec {sys.executable} -c 'import sys; sys.stdin.read()'")
    with pytest.raises(ChannelTimeout):
        channel.receive(timeout=0.05)
    channel.close()


def test_closing_a_local_channel_wakes_whoever_waits_for_it() -> None:
    channel = LocalChannel("exec sleep 60")
    caught: list[BaseException] = []

    def wait() -> None:
        try:
            channel.receive(timeout=60)
        except (ChannelClosed, ChannelTimeout, OSError) as error:
            caught.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    channel._closed = True
    waiter.join(timeout=30)
    assert [type(error) for error in caught] == [ChannelClosed]
    channel._process.kill()
    channel.close()


@pytest.fixture
def key() -> paramiko.PKey:
    return paramiko.ECDSAKey.generate()


def known_hosts(tmp_path: Path, name: str, key: paramiko.PKey) -> TrustedKeys:
    path = tmp_path / "known_hosts"
    path.write_text(f"{name} {key.get_name()} {key.get_base64()}\n")
    return TrustedKeys([path])


def test_a_known_key_is_accepted_at_its_own_port_alone(tmp_path: Path, key: paramiko.PKey) -> None:
    trusted = known_hosts(tmp_path, "[host.example]:2222", key)
    trusted.check("web1", "host.example", 2222, key)
    assert trusted.key_types("host.example", 2222) == ("ecdsa-sha2-nistp256",)
    with pytest.raises(HostKeyRejected, match="not known"):
        trusted.check("web1", "host.example", 22, key)


def test_another_key_than_the_known_one_is_refused_loudly(
    tmp_path: Path, key: paramiko.PKey
) -> None:
    trusted = known_hosts(tmp_path, "host.example", key)
    with pytest.raises(HostKeyRejected, match="HAS CHANGED") as caught:
        trusted.check("web1", "host.example", 22, paramiko.ECDSAKey.generate())
    assert "ssh-keygen -R host.example" in caught.value.hint


def test_closing_a_local_channel_ends_whoever_reads_in_no_other_way() -> None:
    for _ in range(20):
        channel = LocalChannel("exec yes")
        ends: list[BaseException] = []
        reader = threading.Thread(target=_read_on, args=(channel, ends))
        reader.start()
        channel.close()
        reader.join()
        assert [type(end) for end in ends] == [ChannelClosed]


def _read_on(channel: LocalChannel, ends: list[BaseException]) -> None:
    try:
        while True:
            channel.receive(timeout=30)
    except (ChannelClosed, ChannelTimeout, OSError, ValueError) as error:
        ends.append(error)
