"""A shell script that goes from host to host, the code in place: the simplest that people have."""

from __future__ import annotations

from release_work.ground import Ground
from release_work.peers.peer import Command
from release_work.repository import Repository

from commit_work.steps import Steps

_SCRIPT = """#!/bin/sh
set -eu
for host in {hosts}; do
    ssh -F {config} "$host" sh -eu <<'END'
{commands}
END
done
"""


class Loop:
    """`git pull`, `pip install`, `migrate`, `collectstatic`, restart."""

    name = "shell loop over ssh"

    def get(self) -> str:
        """Return nothing: these are on every machine."""
        return "of this machine"

    def set_up(self, ground: Ground[Repository]) -> None:
        """Nothing to do before a version is known."""

    def release(self, ground: Ground[Repository], version: str) -> Command:
        """Write and return the script."""
        code = f"{ground.app(ground.hosts[0])}/current"
        steps = Steps(ground, version, code)
        commands = [
            f"[ -d {code} ] || git clone -q {ground.git_url} {code}",
            f"git -C {code} pull -q",
            f"mkdir -p {steps.app}/shared",
            steps.make_environment,
            steps.install,
            f"[ $(hostname) != {ground.hosts[0].name} ] || {steps.migrate}",
            steps.collect,
            steps.reload,
            steps.health,
        ]
        text = _SCRIPT.format(
            hosts=" ".join(host.name for host in ground.hosts),
            config=ground.ssh_config,
            commands="\n".join(commands),
        )
        (ground.folder / "deploy").write_text(text)
        return Command(["/bin/sh", "deploy"], ground.folder)

    def rollback(self, ground: Ground[Repository], version: str) -> None:
        """Return nothing: this is about commits."""
