"""Fabric: a task a step, run on all hosts at once by a `ThreadingGroup`."""

from __future__ import annotations

from release_work.ground import Ground
from release_work.peers.fabric_tool import Fabric as FabricTool
from release_work.peers.peer import Command
from release_work.repository import Repository

from commit_work.steps import Steps

_SCRIPT = """from fabric import Connection, ThreadingGroup

hosts = [
    Connection(address, user=user, port=port, connect_kwargs={options!r})
    for address, user, port in {hosts!r}
]
group = ThreadingGroup.from_connections(hosts)
for command in {prepare!r}:
    group.run(command, hide=True)
hosts[0].run({migrate!r}, hide=True)
for command in {activate!r}:
    group.run(command, hide=True)
"""


class Fabric(FabricTool):
    """Threads, one connection a host."""

    def release(self, ground: Ground[Repository], version: str) -> Command:
        """Write and return the script."""
        steps = Steps(ground, version)
        repo = f"{steps.app}/repo"
        prepare = [
            f"mkdir -p {steps.app}/releases {steps.app}/shared",
            f"[ -d {repo} ] || git clone -q --mirror {ground.git_url} {repo}",
            f"git -C {repo} remote update",
            steps.prune,
            f"mkdir {steps.release}",
            f"git -C {repo} archive v{version} | tar -x -C {steps.release}",
            steps.make_environment,
            steps.install,
            steps.collect,
        ]
        text = _SCRIPT.format(
            hosts=[(host.address, host.user, host.port) for host in ground.hosts],
            options=self.options(ground),
            prepare=prepare,
            migrate=steps.migrate,
            activate=[steps.link, steps.reload, steps.health],
        )
        (ground.folder / "deploy.py").write_text(text)
        return Command([str(self._bin / "python"), "deploy.py"], ground.folder)
