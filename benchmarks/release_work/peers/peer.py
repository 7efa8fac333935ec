"""What every tool of the comparison can be asked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from typing_extensions import TypeVar

from release_work.ground import Ground
from release_work.project import Project
from release_work.repository import Repository


@dataclass(frozen=True)
class Command:
    """A command line, its folder, and what its environment has beside ours."""

    argv: list[str]
    cwd: Path
    more: Mapping[str, str] = field(default_factory=dict)

    def env(self, home: Path) -> dict[str, str]:
        """Return its environment."""
        return {**os.environ, "HOME": str(home), **self.more}


# Seconds that tools wait for hosts to let them in: many of them on a few processors take a while.
PATIENCE = 60
R_contra = TypeVar("R_contra", bound=Repository, contravariant=True, default=Project)


class Peer(Protocol[R_contra]):
    """A tool that brings versions to hosts."""

    name: str

    def get(self) -> str:
        """Install it; return its version.

        Raises:
            Unavailable: It cannot be had here.
        """

    def set_up(self, ground: Ground[R_contra]) -> None:
        """Write its configuration for a fleet."""

    def release(self, ground: Ground[R_contra], version: str) -> Command:
        """Return what makes a version live on all hosts, healthy when the command ends."""

    def rollback(self, ground: Ground[R_contra], version: str) -> Command | None:
        """Return what goes back to the version before; None if its documentation has nothing."""
