"""pyinfra: operations of its documentation, `git.repo` first, as its deploy example does."""

from __future__ import annotations

from common.tools import python_tool
from release_work.ground import Ground
from release_work.peers.peer import PATIENCE, Command
from release_work.repository import Repository

_PIN = "pyinfra==3.10.0"
_WAITS = ("timeout", "banner_timeout", "auth_timeout")
_DEPLOY = """from pyinfra.operations import files, git, server

git.repo(name="fetch", src={url!r}, dest={repo!r}, branch={tag!r})
files.directory(name="folder of releases", path={releases!r})
server.shell(name="old releases", commands=[{prune!r}])
server.shell(name="new release", commands=[{copy!r}])
files.link(name="link", path={current!r}, target={release!r}, force=True, force_backup=False)
server.shell(name="reload", commands=[{reload!r}])
server.shell(name="health", commands=[{health!r}])
"""


class Pyinfra:
    """As many connections as hosts, which is its default."""

    name = "pyinfra"

    def get(self) -> str:
        """Install it."""
        self._bin = python_tool(_PIN)
        return _PIN.partition("==")[2]

    def set_up(self, ground: Ground[Repository]) -> None:
        """Write the inventory."""
        hosts = [
            (
                host.address,
                {
                    "ssh_user": host.user,
                    "ssh_port": host.port,
                    "ssh_key": str(ground.fleet.key_path),
                    "ssh_known_hosts_file": str(ground.fleet.known_hosts),
                    "ssh_strict_host_key_checking": "yes",
                    "ssh_paramiko_connect_kwargs": dict.fromkeys(_WAITS, PATIENCE),
                },
            )
            for host in ground.hosts
        ]
        (ground.folder / "inventory.py").write_text(f"hosts = {hosts!r}\n")

    def release(self, ground: Ground, version: str) -> Command:
        """Write and return the deploy."""
        first = ground.hosts[0]
        app = ground.app(first)
        release = f"{app}/releases/{version}"
        text = _DEPLOY.format(
            url=ground.git_url,
            tag=f"v{version}",
            repo=f"{app}/repo",
            releases=f"{app}/releases",
            prune=ground.prune(first),
            copy=f"mkdir {release} && cp -a {app}/repo/* {release}/",
            current=f"{app}/current",
            release=release,
            reload=ground.reload(first),
            health=ground.health(first, version),
        )
        return self.deploy(ground, text)

    def deploy(self, ground: Ground[Repository], text: str) -> Command:
        """Write a deploy; return what runs it."""
        (ground.folder / "deploy.py").write_text(text)
        argv = [str(self._bin / "pyinfra"), "inventory.py", "deploy.py", "-y"]
        return Command(argv, ground.folder, {"LC_ALL": "C.UTF-8"})

    def rollback(self, ground: Ground[Repository], version: str) -> None:
        """Return nothing: the documentation has none."""
