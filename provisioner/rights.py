"""What sudoers(5) is told of the user who releases; no I/O.

A step `restart` of systemd runs exactly these commands (the agent's restart_systemd.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from castoff.config.model import SudoRights
from castoff.provisioner.rendered import rendered
from castoff.provisioner.surroundings import Surroundings

_SYSTEMCTL = "/usr/bin/systemctl"
_VERBS = (
    "start",
    "stop",
    "restart",
    "reload",
    "reload-or-restart",
    "reset-failed",
    "is-active",
    "status",
)
# What sudoers(5) takes for something else within a command's arguments.
_SPECIAL = re.compile(r"([\\,:=])")


def sudoers(rights: SudoRights, around: Surroundings, units: Sequence[str]) -> str | None:
    """Return the text of a file for /etc/sudoers.d, or None where nothing is to be allowed.

    Args:
        rights: What castoff.toml allows.
        around: The app and its host.
        units: Names of the units on this host.
    """
    user = rights.user or around.login
    # Steps are done by the agent, who may have become somebody else already.
    agents = (user,) if rights.user else dict.fromkeys((around.login, around.releaser))
    lines = [f"{user} ALL=(root) NOPASSWD: {command}" for command in rights.commands]
    if rights.restart and units:
        for who in agents:
            lines.append(f"{who} ALL=(root) NOPASSWD: {_SYSTEMCTL} daemon-reload")
            lines += [
                f"{who} ALL=(root) NOPASSWD: {_SYSTEMCTL} {verb} {_SPECIAL.sub(_escaped, unit)}"
                for unit in units
                for verb in _VERBS
            ]
    if rights.become and around.user not in (user, "root"):
        lines.append(f"{user} ALL=({around.user}) NOPASSWD: ALL")
    lines = [line for line in lines if not line.startswith("root ")]
    if not lines:
        return None
    return rendered("sudoers", {"app": around.app, "rights": lines})


def _escaped(match: re.Match[str]) -> str:
    return f"\\{match[1]}"
