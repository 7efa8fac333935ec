"""What sudoers(5) is told of the user who releases; no I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence

from castoff.config.model import SudoRights
from castoff.provisioner.rendered import rendered
from castoff.provisioner.surroundings import Surroundings

_SYSTEMCTL = "/usr/bin/systemctl"
_VERBS = ("start", "stop", "restart", "reload", "is-active", "status")
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
    if user == "root":
        return None
    lines = [f"ALL=(root) NOPASSWD: {command}" for command in rights.commands]
    if rights.restart:
        lines += [
            f"ALL=(root) NOPASSWD: {_SYSTEMCTL} {verb} {_SPECIAL.sub(_escaped, unit)}"
            for unit in units
            for verb in _VERBS
        ]
    if rights.become and around.user not in (user, "root"):
        lines.append(f"ALL=({around.user}) NOPASSWD: ALL")
    if not lines:
        return None
    return rendered("sudoers", {"app": around.app, "user": user, "rights": lines})


def _escaped(match: re.Match[str]) -> str:
    return f"\\{match[1]}"
