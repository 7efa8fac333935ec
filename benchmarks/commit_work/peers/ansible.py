"""Ansible: a playbook of `ansible.builtin` modules; `pip` makes the virtual environment, too."""

from __future__ import annotations

from release_work.ground import Ground
from release_work.peers.ansible import Ansible as AnsibleTool
from release_work.peers.peer import Command
from release_work.repository import Repository

from commit_work.steps import DATABASE, Steps


class Ansible(AnsibleTool):
    """Pipelining on, one fork a host, no facts gathered."""

    def release(self, ground: Ground[Repository], version: str) -> Command:
        """Write and return the playbook."""
        steps = Steps(ground, version)
        repo = f"{steps.app}/repo"
        manage = f"{steps.environment}/bin/python manage.py"
        tasks: list[dict[str, object]] = [
            {
                "name": "fetch",
                "ansible.builtin.git": {
                    "repo": ground.git_url,
                    "dest": repo,
                    "version": f"v{version}",
                },
            },
            {
                "name": "folders",
                "ansible.builtin.file": {"path": "{{ item }}", "state": "directory"},
                "loop": [f"{steps.app}/releases", f"{steps.app}/shared"],
            },
            {"name": "old releases", "ansible.builtin.shell": steps.prune},
            {
                "name": "new release",
                "ansible.builtin.shell": {
                    "cmd": f"mkdir {steps.release} && cp -a {repo}/* {steps.release}/",
                    "creates": steps.release,
                },
            },
            {
                "name": "requirements",
                "ansible.builtin.pip": {
                    "requirements": f"{steps.release}/requirements.txt",
                    "virtualenv": steps.environment,
                    "virtualenv_command": "python3 -m venv",
                },
            },
            {
                "name": "static files",
                "ansible.builtin.command": {
                    "cmd": f"{manage} collectstatic --noinput -v 0",
                    "chdir": steps.release,
                },
            },
            {
                "name": "migrations",
                "ansible.builtin.command": {
                    "cmd": f"{manage} migrate --noinput -v 0",
                    "chdir": steps.release,
                },
                "environment": {"DATABASE": DATABASE},
                "run_once": True,
            },
            {
                "name": "link",
                "ansible.builtin.file": {
                    "src": steps.release,
                    "dest": f"{steps.app}/current",
                    "state": "link",
                },
            },
            {"name": "reload", "ansible.builtin.shell": steps.reload},
            self.healthy(ground, version),
        ]
        return self.play(ground, tasks)
