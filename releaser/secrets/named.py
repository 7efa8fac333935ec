"""Secrets of an environment by their names, found before anything is done."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from castoff.config.nearest import nearest
from castoff.releaser.job import Scope
from castoff.releaser.secrets.secrets import NONE, Secrets
from castoff.store.errors import UsageError


def chosen_secrets(scope: Scope, names: Collection[str]) -> Secrets:
    """Return the secrets that a person has asked for.

    Raises:
        UsageError: The environment has none of such a name.
        SecretsMissing: Some cannot be had; all of those are named.
    """
    there = scope.environment.secrets
    for name in names:
        if name not in there:
            meant = nearest(name, there)
            question = f"; did you mean {meant!r}?" if meant else ""
            raise UsageError(
                f"{scope.environment_name} has no secret {name!r}{question}",
                hint=f"castoff secrets --env {scope.environment_name}",
            )
    return find_named(scope, names)


def find_named(scope: Scope, names: Collection[str]) -> Secrets:
    """Return secrets of an environment.

    Raises:
        SecretsMissing: Some cannot be had; all of those are named.
    """
    there = scope.environment.secrets
    wanted = {name: secret for name, secret in there.items() if name in names}
    if not wanted:
        return NONE
    # A run without secrets does not load what finds them.
    from castoff.releaser.secrets.find import find_all

    base = Path.cwd() if scope.base is None else scope.base
    return find_all(wanted, base, environment=scope.environment_name)
