"""The agent is sent to a host once; what lies in its place there runs only if it is the same."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from castoff.config.hosts import ResolvedHost
from castoff.releaser.agent.loader import COMPILED
from castoff.releaser.built_in import ask_built_in
from castoff.releaser.bundle import KEPT, bootstrap, built_ins, bundle
from castoff.releaser.errors import HostError
from castoff.releaser.replies import Opened
from castoff.releaser.session import AgentSession, Asked
from castoff.releaser.transports.local import LocalChannel
from support.resolved import HOST


class Counting(LocalChannel):
    """A channel that counts what goes to the host."""

    sent = 0

    def send(self, data: bytes, *, timeout: float) -> None:
        """Count and send."""
        self.sent += len(data)
        super().send(data, timeout=timeout)


@pytest.fixture
def host(tmp_path: Path) -> ResolvedHost:
    return replace(HOST, transport="local", root=str(tmp_path / "app"), python=sys.executable)


def visit(host: ResolvedHost, *, lock: bool = True, steps: int = 0) -> int:
    """Open the app on a host; return how many bytes went there until the agent had greeted.

    Args:
        host: The host.
        lock: Whether to take its lock.
        steps: Built-in steps to ask for; if any, what went there for them is returned.
    """
    channel = Counting(bootstrap(host.python or ""))
    with closing(AgentSession.start(host, lambda *_: channel, timeout=30)) as session:
        sent = channel.sent
        session.ask(
            Opened,
            "open",
            Asked(timeout=30),
            app="app",
            root=host.root,
            token=1,
            owner="a test",
            lock=lock,
            target=None,
        )
        opened = channel.sent
        for _ in range(steps):
            # No release is there, which is found out once the step's code is.
            with pytest.raises(HostError, match="no complete release"):
                ask_built_in(session, "backups", Asked(timeout=30), version="1.0")
    return channel.sent - opened if steps else sent


def place(host: ResolvedHost) -> Path:
    """Return where the agent is kept."""
    return Path(host.root) / KEPT / sha256(bundle()).hexdigest()


def test_it_is_sent_once_and_then_told_of(host: ResolvedHost) -> None:
    assert visit(host) > len(bundle())
    assert place(host).read_bytes() == bundle()
    assert visit(host) < 1_500
    assert visit(host, lock=False) < 1_500


def test_the_code_of_built_in_steps_is_sent_once_and_then_told_of(host: ResolvedHost) -> None:
    whole = len(built_ins())
    assert whole < visit(host, steps=2) < 2 * whole
    assert visit(host, steps=2) < 1_000
    assert visit(host, lock=False, steps=1) < 1_000


def test_who_only_reads_leaves_nothing(host: ResolvedHost) -> None:
    assert visit(host, lock=False) > len(bundle())
    assert not Path(host.root).exists()


def test_what_an_older_controller_sent_goes(host: ResolvedHost) -> None:
    old = place(host).with_name("0" * 64)
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")
    visit(host)
    there = sorted(old.parent.iterdir())
    assert there == [place(host), place(host).with_name(f"{place(host).name}{COMPILED}")]


def _other_code(path: Path) -> None:
    import zlib

    mark = path.parents[3] / "ran"
    path.write_bytes(zlib.compress(f"open({str(mark)!r}, 'w')\n".encode()))


def _cut_off(path: Path) -> None:
    path.write_bytes(bundle()[:-1])


def _longer(path: Path) -> None:
    path.write_bytes(bundle() + b"\n")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.mkdir()


def _link(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("put", [_other_code, _cut_off, _longer, _pipe, _link, _folder])
def test_anything_else_in_its_place_does_not_run(
    host: ResolvedHost, put: Callable[[Path], None]
) -> None:
    place(host).parent.mkdir(parents=True)
    put(place(host))
    assert visit(host) > len(bundle())
    assert not (Path(host.root).parent / "ran").exists()
    if put is not _folder:
        assert place(host).read_bytes() == bundle()
        assert visit(host) < 1_500


def test_a_place_that_cannot_be_written_to_is_no_hindrance(host: ResolvedHost) -> None:
    place(host).parent.parent.mkdir(parents=True)
    place(host).parent.write_bytes(b"not a folder")
    assert visit(host) > len(bundle())
    assert visit(host) > len(bundle())


def test_a_home_is_found(
    host: ResolvedHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    at_home = replace(host, root="~/app it's")
    visit(at_home)
    assert (tmp_path / "home" / "app it's" / KEPT).is_dir()
    assert visit(at_home) < 1_500
