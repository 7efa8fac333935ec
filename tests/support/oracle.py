"""What must hold after any run, however it was cut short; found without Castoff's engine.

Each host's `current` is one of the two versions in question, whole, byte for byte; the exit code
and the history say what the hosts show.
"""

from __future__ import annotations

import io
import stat
import tarfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from castoff.store import channel, history, run_document
from castoff.store.backend import Store
from castoff.store.errors import ExitCode
from support.fleet import Fleet, FleetHost

# What an exit code promises of the hosts, and the outcome in the history that goes with it.
_BEFORE_THE_BARRIER = {
    ExitCode.STORE,
    ExitCode.LOCKED,
    ExitCode.UNREACHABLE,
    ExitCode.PREFLIGHT,
    ExitCode.PREPARE,
    ExitCode.NOT_ACTIVATED,
}
KILLED = -9


@dataclass(frozen=True)
class Oracle:
    """Knows what was built, and where the store and the hosts are.

    Attributes:
        trees: For each version, the content of every file of the release.
    """

    app: str
    environment: str
    store: Store
    fleet: Fleet
    trees: dict[str, dict[str, bytes]]

    def links(self) -> dict[str, str | None]:
        """Return the version that each host's link names; also of hosts that are off."""
        return {host.name: _link(self._root(host)) for host in self.fleet.hosts}

    def check_whole(self, among: Collection[str]) -> None:
        """Assert that each host's `current` is a whole release, one of these."""
        for host in self.fleet.hosts:
            version = _link(self._root(host))
            assert version is not None, f"{host.name} serves nothing"
            assert version in among, (host.name, version)
            release = self._root(host) / "releases" / version
            assert _content(release) == self.trees[version], f"{host.name} serves parts of releases"
            writable = [path for path in release.rglob("*") if path.is_file() and _mode(path)]
            assert not writable, writable

    def check_outcome(
        self, code: int, said: str, *, base: str, target: str, numbered: int, lost: str
    ) -> None:
        """Assert that exit code, history and hosts tell one story.

        Args:
            code: The exit code of the run from `base` to `target`.
            said: What it wrote to standard error.
            base: The version that every host had before.
            target: The version on its way.
            numbered: How many entries the history had before.
            lost: The host that something was done to; only it may be other than it should be.
        """
        self.check_whole({base, target})
        links = self.links()
        others = {version for name, version in links.items() if name != lost}
        entry, unfinished = self._newest(numbered), self._unfinished()
        if entry is None:
            assert unfinished or code in (ExitCode.LOCKED, ExitCode.UNREACHABLE), (code, said)
        if code == ExitCode.OK:
            assert set(links.values()) == {target}
            assert self._channel() == target
            assert entry is not None
            assert (entry.version, entry.outcome) == (target, "released")
            assert not unfinished
        elif code == ExitCode.ROLLED_BACK:
            assert set(links.values()) == {base}
            assert entry is None or entry.outcome == "rolled back"
        elif code == ExitCode.MIXED:
            assert "MIXED" in said
            assert lost in said
            assert others == {base}
            assert entry is None or entry.outcome == "mixed"
        elif code == KILLED:
            assert unfinished
        elif code == ExitCode.STORE and set(links.values()) == {target}:
            assert f"{target} is live" in said or f"{target} is released" in said
            assert unfinished
        else:
            assert code in _BEFORE_THE_BARRIER, (code, said)
            assert set(links.values()) == {base}
            assert entry is None or entry.outcome == "failed"
        if code != ExitCode.OK and set(links.values()) == {base}:
            assert self._channel() == base

    def check_at_rest(self, version: str) -> None:
        """Assert that every host serves a version, the record says so, and nothing is left over."""
        self.check_whole({version})
        assert self._channel() == version
        assert not self._unfinished()
        for host in self.fleet.hosts:
            left = [path.name for path in (self._root(host) / ".castoff" / "staging").iterdir()]
            assert not [name for name in left if not name.startswith("current.")], left

    def history_length(self) -> int:
        """Return how many entries the history has."""
        entries = history.entries(self.store, self.app, self.environment, limit=1)
        return entries[0].number if entries else 0

    def _newest(self, numbered: int) -> history.Entry | None:
        entries = history.entries(self.store, self.app, self.environment, limit=1)
        return entries[0] if entries and entries[0].number > numbered else None

    def _channel(self) -> str | None:
        seen = channel.read(self.store, self.app, self.environment)
        return None if seen is None else seen[0].current

    def _unfinished(self) -> bool:
        seen = run_document.read(self.store, self.app, self.environment)
        return seen is not None and not seen[0].over

    def _root(self, host: FleetHost) -> Path:
        return host.path(f"{host.root}/{self.app}")


def tree_of(archive: bytes) -> dict[str, bytes]:
    """Return the content of each file in a release's tarball."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isfile() else None
            if file is not None:
                found[member.name.removeprefix("./")] = file.read()
    return found


def _link(root: Path) -> str | None:
    link = root / "current"
    return link.readlink().name if link.is_symlink() else None


def _content(release: Path) -> dict[str, bytes]:
    return {
        path.relative_to(release).as_posix(): path.read_bytes()
        for path in release.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode) & 0o222
