"""See that a deployment did its job, beyond the version that the server says."""

from __future__ import annotations

from release_work.ground import Ground

from commit_work.application import Application
from commit_work.changes import Change
from commit_work.steps import DATABASE

# Castoff has an interpreter and static files in the release, the others beside it and in it.
_LOOK = """
cd {app}
python=current/bin/python
[ -x $python ] || python=shared/venv/bin/python
$python -c 'import django; print(django.get_version())'
list=catalogue/list*.css
ls current/static/$list current/collected/$list 2>/dev/null | grep -q . || echo 'no static files'
"""


def missing(it: Ground[Application], change: Change) -> str:
    """Return what is wrong, on the first host on which something is; empty if nothing."""
    wanted = it.project.django(change)
    for host in it.hosts:
        said = host.run(_LOOK.format(app=it.app(host))).stdout.split("\n", 1)
        if said != [wanted, ""]:
            return f"{host.name} has Django {' '.join(said).strip()}, not {wanted}"
    # Which one it is is the tool's choice.
    if all(host.run(f"[ -s {DATABASE} ]", check=False).returncode for host in it.hosts):
        return "no host has migrated"
    return ""
