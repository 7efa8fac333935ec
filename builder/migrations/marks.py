"""The author's own word on a migration: `castoff_compatible` in its file."""

from __future__ import annotations

import ast

from castoff.builder.errors import BuildError
from castoff.builder.migrations.literals import is_false, is_true, text

MARK = "castoff_compatible"


def lives_with(node: ast.expr | None, *, path: str) -> str:
    """Return what `MigrationNote.lives_with` is to be; a migration's name as it is written.

    Args:
        node: What the name stands for; None where it is not there.
        path: The migration's file, for the message.

    Raises:
        BuildError: It is none of `True`, `False` and a migration's name.
    """
    if node is None:
        return ""
    if is_true(node):
        return "*"
    if is_false(node):
        return "!"
    name = text(node)
    if not name:
        raise BuildError(
            f"{path}: {MARK} is neither True, False nor the name of a migration",
            hint="See docs/how-to/migrations.md.",
        )
    return name
