"""Secrets that a run does not need, and that what it starts on this machine could print."""

from __future__ import annotations

from pathlib import Path

from castoff.config.notify_rules import secrets_of
from castoff.releaser.job import Scope
from castoff.releaser.secrets.find import try_all
from castoff.releaser.secrets.secrets import Secrets

# What is quick to look up, and what any command here has or may read.
_NEAR = ("env", "file")


def with_nearby(secrets: Secrets, scope: Scope) -> Secrets:
    """Return a run's secrets and those of notifications that lie here; one not to be had is out.

    So they are taken from what commands print, as the others are.
    """
    known = scope.environment.secrets
    wanted = {
        name: known[name]
        for one in scope.environment.notify
        for _, name in secrets_of(one)
        if name in known and name not in secrets and known[name].source in _NEAR
    }
    found = try_all(wanted, scope.base or Path.cwd())
    return Secrets({**{n: v for n, v in found.items() if isinstance(v, str)}, **secrets})
