"""What can be backed up: a module for each kind, of one shape."""

from __future__ import annotations

import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from ..layout import Layout
    from ..parameters import Parameters
    from .deadline import Deadline

    class Source(Protocol):
        """Something that can be backed up and restored; all methods raise AgentError."""

        name: str

        def names(self, stamp: str) -> tuple[str, str]:
            """Return what a restore is called while it is made, and what it replaces afterwards."""

        def tool(self, deadline: Deadline) -> str:
            """Return the name and version of what makes the back-up."""

        def dump(self, deadline: Deadline) -> Iterator[bytes]:
            """Yield the data."""

        def ready(self, deadline: Deadline) -> None:
            """Return if it can be replaced."""

        def load(self, blocks: Iterator[bytes], beside: str, deadline: Deadline) -> None:
            """Fill a copy beside it."""

        def swap(self, beside: str, kept: str, deadline: Deadline) -> str:
            """Let the copy take its place; return how to go back."""

        def drop(self, beside: str, deadline: Deadline) -> None:
            """Take away what a failed restore has made."""


_MODULES = {
    "postgresql": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
    "files": "shared_files",
}


def source_of(layout: Layout, parameters: Parameters, options: Parameters) -> tuple[Source, str]:
    """Return what a step's options name, and the ending of its back-ups' files.

    Raises:
        AgentError: `invalid`: they do not say it.
    """
    kind = options.choice("kind", tuple(_MODULES))
    module = importlib.import_module(f"{__package__}.{_MODULES[kind]}")
    source: Source = module.Database(layout, parameters, options)
    return source, str(module.SUFFIX)
