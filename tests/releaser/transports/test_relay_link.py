"""The relay's own process at the end of pipes; its `ssh` runs the command here."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from castoff.config.hosts import ResolvedHost
from castoff.releaser.agent.relay import frames
from castoff.releaser.bundle import bootstrap
from castoff.releaser.errors import ChannelClosed, ChannelTimeout, HostUnreachable
from castoff.releaser.patience import now
from castoff.releaser.transports.base import Detoured
from castoff.releaser.transports.hostkeys import TrustedKeys
from castoff.releaser.transports.local import LocalChannel
from castoff.releaser.transports.relay_link import Link
from castoff.releaser.transports.relayed import RelayedChannel
from castoff.releaser.transports.relays import Relays
from castoff.releaser.transports.route import Hop
from support.fleet import make_key
from support.interpreters import interpreter
from support.resolved import HOST

LIMIT = 60.0
# What it was told stands in its last word; who asks for signatures is told nothing.
SSH = """#!/bin/sh
for word; do command=$word; done
printf '%s\\n' "$*" >>"$RELAY_LOG"
known=$(/usr/bin/ssh -G "$@" | sed -n 's/^userknownhostsfile //p')
cat "$known" >>"$RELAY_LOG"
while [ -e "$RELAY_LOG.hold" ]; do sleep 0.01; done
[ "$command" != refuse ] || { echo 'Permission denied (publickey).' >&2; exit 255; }
if [ "$command" = old ]; then
    agent=$(/usr/bin/ssh -G "$@" | sed -n 's/^identityagent //p')
    python3 -c "$OLD" "$agent"
    echo 'Permission denied (publickey).' >&2
    exit 255
fi
echo 'Authenticated to there ([192.0.2.1]:22) using "publickey".' >&2
exec sh -c "$command"
"""

# An OpenSSH before 8.9 asks for a signature without a word on what for.
OLD = """
import socket, struct, sys
agent = socket.socket(socket.AF_UNIX)
agent.connect(sys.argv[1])
agent.sendall(struct.pack(">IBIII", 13, 13, 0, 0, 0))
agent.recv(100)
"""


class Counting(LocalChannel):
    """A channel that counts what goes to the relay."""

    sent = 0

    def send(self, data: bytes, *, timeout: float) -> None:
        """Count and send."""
        self.sent += len(data)
        super().send(data, timeout=timeout)


class Ground:
    """A relay that has greeted; `before` is what its login shell runs first."""

    def __init__(self, folder: Path, python: str = sys.executable, *, before: str = "") -> None:
        self.log = folder / "log"
        self.temporary = folder / "t %"
        self.channel = Counting(before + bootstrap(python))
        self.link = Link.start(HOST, self.channel, timeout=LIMIT)

    def open(self, command: str, known: str = "there ssh-ed25519 AAAA\n") -> RelayedChannel:
        """Start a command on some host."""
        opening: dict[str, object] = {
            "address": "192.0.2.1",
            "port": 2222,
            "user": "deploy",
            "command": command,
            "alias": "there",
            "known": known,
            "keys": False,
            "seconds": 9,
        }
        return self.link.open(opening, timeout=LIMIT)

    def up(self, command: str) -> RelayedChannel:
        """Start a command on a host that lets the relay in."""
        channel = self.open(command)
        assert wait(channel)
        return channel


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    programs = tmp_path / "bin"
    programs.mkdir()
    # A folder whose name OpenSSH would take for several, and for more than it says.
    (tmp_path / "t %").mkdir()
    (programs / "ssh").write_text(SSH)
    (programs / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("RELAY_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("OLD", OLD)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "t %"))
    found = Ground(tmp_path)
    with closing(found.link):
        yield found


def wait(channel: RelayedChannel, answer: Callable[[bytes], bytes] = bytes) -> bool:
    """Wait until a host has answered."""
    return channel.wait_until_up(answer, start=now() + LIMIT, deadline=now() + LIMIT)


def heard(channel: RelayedChannel, size: int) -> bytes:
    """Return so many bytes that come from a channel."""
    data = b""
    while len(data) < size:
        data += channel.receive(timeout=LIMIT)
    return data


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_channels_carry_bytes_of_many_hosts_over_one_stream(ground: Ground) -> None:
    channels = [ground.up(f"echo {number}; exec cat") for number in range(5)]
    for number, channel in enumerate(channels):
        # Much more than may be under way at once.
        data = os.urandom(3 * frames.WINDOW)
        sender = threading.Thread(target=channel.send, args=(data,), kwargs={"timeout": LIMIT})
        sender.start()
        assert heard(channel, len(data) + 2) == f"{number}\n".encode() + data
        sender.join()
        channel.close()
    until(lambda: not list(ground.temporary.iterdir()))


@pytest.mark.parametrize("minor", [8, 13])
def test_it_runs_under_the_pythons_that_hosts_have(
    ground: Ground, tmp_path: Path, minor: int
) -> None:
    python = interpreter(minor)
    if python is None:
        pytest.skip(f"no Python 3.{minor} on this machine")
    other = Ground(tmp_path, python)
    with closing(other.link):
        channel = other.up("exec cat")
        channel.send(b"hello", timeout=LIMIT)
        assert heard(channel, 5) == b"hello"
        channel.close()
    assert ground.link.alive


def test_a_host_that_takes_nothing_holds_up_no_other(ground: Ground) -> None:
    deaf, other = ground.up("exec sleep 60"), ground.up("exec cat")
    with pytest.raises(ChannelTimeout):
        deaf.send(b"x" * 2 * frames.WINDOW, timeout=0.5)
    other.send(b"hello", timeout=LIMIT)
    assert heard(other, 5) == b"hello"


def test_a_host_that_is_not_listened_to_holds_up_no_other(ground: Ground) -> None:
    loud, other = ground.up("exec yes"), ground.up("exec cat")
    until(lambda: sum(map(len, loud._inbox)) >= frames.WINDOW)
    other.send(b"hello", timeout=LIMIT)
    assert heard(other, 5) == b"hello"
    assert sum(map(len, loud._inbox)) == frames.WINDOW
    assert heard(loud, 3 * frames.WINDOW)


def test_what_several_hosts_are_sent_goes_to_the_relay_once(ground: Ground) -> None:
    text = os.urandom(100_000)
    sent = []
    for _ in range(3):
        before = ground.channel.sent
        channel = ground.up("exec cat")
        channel.send(text, timeout=LIMIT)
        assert heard(channel, len(text)) == text
        sent.append(ground.channel.sent - before)
    assert sent[0] > len(text)
    assert max(sent[1:]) < 1_000


def test_what_is_kept_for_others_has_an_end(ground: Ground) -> None:
    channel = ground.up("exec cat")
    first = os.urandom(frames.BLOCK)
    blocks = [first, *(os.urandom(frames.BLOCK) for _ in range(frames.MOST_KEPT // frames.BLOCK))]
    for block in [*blocks, first, blocks[-1], blocks[2]]:
        channel.send(block, timeout=LIMIT)
        assert heard(channel, len(block)) == block
    assert len(ground.link._kept) == frames.MOST_KEPT // frames.BLOCK


def test_the_end_of_a_command_is_told_as_without_a_relay(ground: Ground) -> None:
    channel = ground.up("echo said; echo nonsense >&2; exit 3")
    assert heard(channel, 5) == b"said\n"
    with pytest.raises(ChannelClosed):
        channel.receive(timeout=LIMIT)
    assert channel.complaints() == "nonsense / exit status 3"


def test_a_host_that_does_not_let_us_in_is_told_with_what_ssh_says(ground: Ground) -> None:
    channel = ground.open("refuse")
    assert not wait(channel)
    assert channel.said == "Permission denied (publickey).\n"


def test_ssh_trusts_what_it_is_given_and_nothing_else(ground: Ground) -> None:
    ground.up("exec cat").close()
    words, known = ground.log.read_text().splitlines()
    assert "StrictHostKeyChecking=yes" in words
    assert "GlobalKnownHostsFile=/dev/null" in words
    assert "HostKeyAlias=there" in words
    assert words.endswith("-l deploy -p 2222 -- 192.0.2.1 exec cat")
    assert known == "there ssh-ed25519 AAAA"
    assert list(ground.temporary.iterdir()) == []


def test_a_closed_channel_ends_its_command(ground: Ground, tmp_path: Path) -> None:
    channel = ground.up(f"cat >{tmp_path}/heard; touch {tmp_path}/ended")
    channel.send(b"all of it", timeout=LIMIT)
    channel.close()
    until((tmp_path / "ended").exists)
    assert (tmp_path / "heard").read_bytes() == b"all of it"
    assert ground.up("echo on").receive(timeout=LIMIT) == b"on\n"


def test_closing_a_channel_wakes_whoever_waits_for_it(ground: Ground) -> None:
    channel = ground.up("exec sleep 60")
    woken: list[type[Exception]] = []

    def listen() -> None:
        try:
            channel.receive(timeout=LIMIT)
        except (ChannelClosed, ChannelTimeout) as error:
            woken.append(type(error))

    listener = threading.Thread(target=listen)
    listener.start()
    until(lambda: bool(channel._news._waiters))  # type: ignore[attr-defined]
    channel.close()
    listener.join(timeout=LIMIT / 2)
    assert woken == [ChannelClosed]


def test_a_relay_that_dies_is_told_to_all_behind_it(ground: Ground) -> None:
    channels = [ground.up("exec cat") for _ in range(2)]
    process = ground.up("exec sh -c 'echo $PPID'").receive(timeout=LIMIT)
    os.kill(int(process), signal.SIGKILL)
    for channel in channels:
        with pytest.raises(ChannelClosed):
            channel.receive(timeout=LIMIT)
        assert "the relay web1 is gone" in channel.complaints()
    assert not ground.link.alive
    with pytest.raises(ChannelClosed):
        ground.open("exec cat")


def test_a_relay_that_cannot_start_one_ssh_is_there_for_the_next(
    ground: Ground, tmp_path: Path
) -> None:
    full = Ground(tmp_path, before="ulimit -f 1; ")
    with closing(full.link):
        for _ in range(2):
            channel = full.open("exec cat", known="#" * 4_096)
            assert not wait(channel)
            assert not channel.started
            assert channel.said == "it cannot start ssh: File too large"
            until(lambda: not list(ground.temporary.iterdir()))
        assert full.link.alive


def test_files_that_were_cleared_away_are_no_hindrance(ground: Ground) -> None:
    hold = ground.log.with_name("log.hold")
    hold.touch()
    channel = ground.open("exec cat")
    until(lambda: channel.started)
    for file in ground.temporary.glob("*/*"):
        file.unlink()
    hold.unlink()
    assert wait(channel)
    channel.close()
    assert ground.up("echo on").receive(timeout=LIMIT) == b"on\n"


def test_what_has_come_is_not_lost_where_the_answer_has_to_wait(ground: Ground) -> None:
    channel = ground.up(f"head -c {3 * frames.WINDOW} /dev/zero")
    until(lambda: sum(map(len, channel._inbox)) == frames.WINDOW)
    with ground.link._sending:
        data = channel.receive(timeout=0.05)
    assert len(data) == frames.WINDOW
    assert len(heard(channel, 2 * frames.WINDOW)) == 2 * frames.WINDOW


def test_no_relay_can_say_more_than_may_be_under_way(ground: Ground) -> None:
    channel = RelayedChannel(ground.link, 7)
    for _ in range(frames.WINDOW // frames.BLOCK):
        channel.hear(frames.DATA, bytes(frames.BLOCK))
    with pytest.raises(ValueError, match="under way"):
        channel.hear(frames.DATA, b"!")
    for _ in range(16):
        channel.hear(frames.ASK, b"\x0b")
    with pytest.raises(ValueError, match="asks"):
        channel.hear(frames.ASK, b"\x0b")


@pytest.mark.usefixtures("ground")
def test_a_line_that_is_busy_is_not_hung_up(tmp_path: Path) -> None:
    relays, host = behind(tmp_path)
    ticks = "while :; do echo tick; sleep 0.05; done"
    with closing(relays.open(host, ticks, LIMIT)) as channel:
        link = relays._links._shared["web1"][0].made.result()
        with link._sending, pytest.raises(HostUnreachable, match=r"web2: no answer .* relay web1"):
            relays.open(host, "exec cat", 2.2)
        assert link.alive
        assert channel.receive(timeout=LIMIT).startswith(b"tick")


@pytest.mark.usefixtures("ground")
def test_a_relay_that_cannot_start_ssh_is_gone_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    relays, host = behind(tmp_path)
    with closing(relays.open(host, "exec cat", LIMIT)) as channel:
        assert channel.detour == "by way of web1: it cannot start ssh: AF_UNIX path too long"
        assert channel.receive(timeout=LIMIT) == b"directly\n"


@pytest.mark.usefixtures("ground")
def test_a_relay_with_an_old_openssh_is_gone_round(tmp_path: Path) -> None:
    relays, host = behind(tmp_path)
    for _ in range(2):
        with closing(relays.open(host, "old", LIMIT)) as channel:
            assert channel.detour.startswith("by way of web1: its OpenSSH is older than 8.9")
            assert channel.receive(timeout=LIMIT) == b"directly\n"
    log = (tmp_path / "log").read_text()
    assert log.count("-- 192.0.2.1 old") == 1, "it is not asked by every host"


def behind(folder: Path) -> tuple[Relays, ResolvedHost]:
    """Return what reaches a host by way of a relay, which is this machine."""
    known = folder / "known_hosts"
    make_key(folder / "host")
    known.write_text("192.0.2.1 " + (folder / "host.pub").read_text())
    hop = Hop("web2", "", "192.0.2.1", 22, "deploy")

    def start(host: ResolvedHost, command: str, timeout: float) -> Detoured:
        del timeout
        return cast("Detoured", LocalChannel(command if host is HOST else "echo directly"))

    relays = Relays(start, start, lambda _: hop, lambda _: TrustedKeys([known], own=()))
    return relays, replace(HOST, name="web2", python=sys.executable, relays=(HOST,))


def test_when_the_relay_is_let_go_commands_hear_the_end(ground: Ground, tmp_path: Path) -> None:
    channel = ground.up(f"trap '' TERM; echo ready; cat; touch {tmp_path}/ended")
    assert heard(channel, 6) == b"ready\n"
    ground.link.close()
    until((tmp_path / "ended").exists)


def test_a_relay_without_ssh_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostUnreachable, match="web1: there is no `ssh` here"):
        Link.start(HOST, LocalChannel(bootstrap(sys.executable)), timeout=LIMIT)


def test_what_does_not_start_is_told_as_an_agent_that_does_not(tmp_path: Path) -> None:
    with pytest.raises(HostUnreachable, match="nopython: not found"):
        Link.start(HOST, LocalChannel(bootstrap(f"{tmp_path}/nopython")), timeout=LIMIT)
