"""rsync and `mv -T` in a shell script: one host after the other, or all at once."""

from __future__ import annotations

from common.tools import debian_tool
from release_work.ground import Ground
from release_work.peers.peer import Command

_SCRIPT = """#!/bin/sh
# usage: deploy VERSION TREE
set -eu
deploy() {{
    host=$1 app=$2 reload=$3 health=$4 prune=$5
    $SSH "$host" "mkdir -p $app/releases; $prune"
    rsync {options} --delete -e "$SSH" --link-dest=../../current/ "$TREE/" \\
        "$host:$app/releases/$VERSION/"
    date +%s.%N >prepared-$host
    $SSH "$host" "ln -sfn releases/$VERSION $app/current.new && mv -T $app/current.new $app/current
        $reload; $health"
}}
SSH="ssh -F {config}" VERSION=$1 TREE=$2
{calls}
{end}
"""
_BACK = """#!/bin/sh
# usage: rollback VERSION
set -eu
rollback() {{
    host=$1 app=$2 reload=$3 health=$4
    $SSH "$host" "ln -sfn releases/$VERSION $app/current.new && mv -T $app/current.new $app/current
        $reload; $health"
}}
SSH="ssh -F {config}" VERSION=$1
{calls}
{end}
"""
_WAIT = 'for job in $jobs; do wait "$job"; done'


class Rsync:
    """A script that people write: `--link-dest` shares what has not changed."""

    def __init__(self, *, parallel: bool, compress: bool = False) -> None:
        self.name = f"rsync{' -z' * compress} + mv -T, {'parallel' if parallel else 'loop'}"
        self._parallel = parallel
        self._options = "-az" if compress else "-a"

    def get(self) -> str:
        """Install rsync."""
        return debian_tool("rsync", "rsync")

    def set_up(self, ground: Ground) -> None:
        """Nothing to do before a version is known."""

    def release(self, ground: Ground, version: str) -> Command:
        """Write and return the script."""
        self._write(ground, version, "deploy", _SCRIPT)
        argv = ["/bin/sh", "deploy", version, str(ground.project.tree(version))]
        return Command(argv, ground.folder)

    def rollback(self, ground: Ground, version: str) -> Command:
        """Write and return the script that points the link back."""
        self._write(ground, version, "rollback", _BACK)
        return Command(["/bin/sh", "rollback", version], ground.folder)

    def prepared(self, ground: Ground) -> dict[str, float]:
        """Return when rsync had ended for each host, in seconds since the epoch."""
        return {
            host.name: float((ground.folder / f"prepared-{host.name}").read_text())
            for host in ground.hosts
        }

    def _write(self, ground: Ground, version: str, name: str, script: str) -> None:
        calls = []
        for host in ground.hosts:
            reload, health = ground.reload(host), ground.health(host, version)
            words = (ground.app(host), *map(_quoted, (reload, health, ground.prune(host))))
            call = f"{name} {host.name} {' '.join(words)}"
            calls.append(f'{call} & jobs="${{jobs:-}} $!"' if self._parallel else call)
        text = script.format(
            config=ground.ssh_config,
            options=self._options,
            calls="\n".join(calls),
            end=_WAIT if self._parallel else "",
        )
        (ground.folder / name).write_text(text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
