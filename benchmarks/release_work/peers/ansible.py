"""Ansible: a playbook of `ansible.builtin` modules in the shape that most deploy roles have.

A checkout on each host is brought to the version, copied to a new release, and linked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from common.tools import python_tool
from release_work.ground import Ground
from release_work.peers.peer import PATIENCE, Command
from release_work.repository import Repository

_PIN = "ansible-core==2.19.14"
_CFG = """[defaults]
inventory = inventory.json
forks = {forks}
gathering = explicit
timeout = {patience}
interpreter_python = /usr/bin/python3
nocows = true
[ssh_connection]
pipelining = true
ssh_args = -F {config} -o ControlMaster=auto -o ControlPersist=60s
"""


class Ansible:
    """Pipelining on, one fork a host, no facts gathered."""

    name = "Ansible"

    def get(self) -> str:
        """Install it."""
        self._bin = python_tool(_PIN)
        return _PIN.partition("==")[2]

    def set_up(self, ground: Ground[Repository]) -> None:
        """Write ansible.cfg and the inventory."""
        (ground.folder / "ansible.cfg").write_text(
            _CFG.format(forks=len(ground.hosts), config=ground.ssh_config, patience=PATIENCE)
        )
        hosts: dict[str, dict[str, str]] = {host.name: {} for host in ground.hosts}
        (ground.folder / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts}}))

    def release(self, ground: Ground, version: str) -> Command:
        """Write and return the playbook."""
        first = ground.hosts[0]
        app = ground.app(first)
        release = f"{app}/releases/{version}"
        tasks: list[dict[str, object]] = [
            {
                "name": "fetch",
                "ansible.builtin.git": {
                    "repo": ground.git_url,
                    "dest": f"{app}/repo",
                    "version": f"v{version}",
                },
            },
            {
                "name": "folder of releases",
                "ansible.builtin.file": {"path": f"{app}/releases", "state": "directory"},
            },
            {"name": "old releases", "ansible.builtin.shell": ground.prune(first)},
            {
                "name": "new release",
                "ansible.builtin.shell": {
                    "cmd": f"mkdir {release} && cp -a {app}/repo/* {release}/",
                    "creates": release,
                },
            },
            {
                "name": "link",
                "ansible.builtin.file": {
                    "src": release,
                    "dest": f"{app}/current",
                    "state": "link",
                },
            },
            {"name": "reload", "ansible.builtin.shell": ground.reload(first)},
            self.healthy(ground, version),
        ]
        return self.play(ground, tasks)

    def healthy(self, ground: Ground[Repository], version: str) -> dict[str, object]:
        """Return the task that waits until hosts serve a version."""
        return {
            "name": "health",
            "ansible.builtin.uri": {
                "url": f"http://127.0.0.1:{ground.ports[ground.hosts[0].name]}/",
                "return_content": True,
            },
            "register": "answer",
            "until": f"'version {version}.' in (answer.content | default(''))",
            "retries": 20,
            "delay": 0.1,
        }

    def play(self, ground: Ground[Repository], tasks: Sequence[Mapping[str, object]]) -> Command:
        """Write a playbook for all hosts; return what runs it."""
        # JSON is YAML.
        play = [{"hosts": "all", "tasks": tasks}]
        (ground.folder / "deploy.yml").write_text(json.dumps(play, indent=1))
        argv = [str(self._bin / "ansible-playbook"), "deploy.yml"]
        return Command(argv, ground.folder, {"LC_ALL": "C.UTF-8"})

    def rollback(self, ground: Ground[Repository], version: str) -> None:
        """Return nothing: the documentation has none."""
