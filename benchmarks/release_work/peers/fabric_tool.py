"""Fabric: an archive is put on all hosts and unpacked, as in its "Getting started"."""

from __future__ import annotations

from pathlib import Path

from common.tools import python_tool
from release_work.ground import Ground
from release_work.peers.peer import PATIENCE, Command
from release_work.repository import Repository

_PIN = "fabric==3.2.2"
_WAITS = ("timeout", "banner_timeout", "auth_timeout")
_SCRIPT = """import sys

from fabric import Connection, ThreadingGroup

version, archive = sys.argv[1:]
hosts = {hosts!r}
group = ThreadingGroup.from_connections(
    Connection(address, user=user, port=port, connect_kwargs={options!r})
    for address, user, port, *_ in hosts
)
app = {app!r}
group.run(f"mkdir -p {{app}}/releases; " + {prune!r}, hide=True)
group.run(f"mkdir {{app}}/releases/{{version}}", hide=True)
group.put(archive, f"{{app}}/")
group.run(
    f"tar -C {{app}}/releases/{{version}} -xzf {{app}}/{archive_name} "
    f"&& rm {{app}}/{archive_name}",
    hide=True,
)
group.run(
    f"ln -sfn releases/{{version}} {{app}}/current.new "
    f"&& mv -T {{app}}/current.new {{app}}/current",
    hide=True,
)
group.run({reload!r}, hide=True)
group.run({health!r}, hide=True)
"""


class Fabric:
    """Threads, one connection a host."""

    name = "Fabric"

    def get(self) -> str:
        """Install it."""
        self._bin = python_tool(_PIN)
        return _PIN.partition("==")[2]

    def set_up(self, ground: Ground[Repository]) -> None:
        """Let it know the hosts' keys."""
        folder = ground.folder / ".ssh"
        folder.mkdir()
        (folder / "known_hosts").write_text(ground.fleet.known_hosts.read_text())

    def options(self, ground: Ground[Repository]) -> dict[str, object]:
        """Return the options of each connection."""
        key = str(ground.fleet.key_path)
        return {"key_filename": key, **dict.fromkeys(_WAITS, PATIENCE)}

    def release(self, ground: Ground, version: str) -> Command:
        """Write and return the script."""
        archive: Path = ground.project.archive(version)
        text = _SCRIPT.format(
            hosts=[(host.address, host.user, host.port) for host in ground.hosts],
            options=self.options(ground),
            app=ground.app(ground.hosts[0]),
            archive_name=archive.name,
            prune=ground.prune(ground.hosts[0]),
            reload=ground.reload(ground.hosts[0]),
            health=ground.health(ground.hosts[0], version),
        )
        (ground.folder / "deploy.py").write_text(text)
        argv = [str(self._bin / "python"), "deploy.py", version, str(archive)]
        return Command(argv, ground.folder)

    def rollback(self, ground: Ground[Repository], version: str) -> None:
        """Return nothing: the documentation has none."""
