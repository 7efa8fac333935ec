"""Commands that are needed around others, and would tell nobody anything in a list of changes."""

from __future__ import annotations

from pyinfra.api.command import StringCommand


class Plumbing(StringCommand):
    """A command that `castoff provision --check` does not name."""
