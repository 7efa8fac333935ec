"""The one shape of every compiler, minifier and optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from castoff.builder.assets.tools.source_map import Segment


@dataclass(frozen=True)
class Input:
    """One file to work on.

    Attributes:
        name: Its logical name, for messages.
        data: Its content.
        path: Where it lies; only compilers, which follow imports from there, need it.
        reads: Digest of every other file that the tool may read, "" where it reads none.
    """

    name: str
    data: bytes
    path: Path | None = None
    reads: str = ""


@dataclass(frozen=True)
class Output:
    """What a tool made of it.

    Attributes:
        data: The new content.
        warnings: One line each, without the file's name.
    """

    data: bytes
    warnings: tuple[str, ...] = ()


class AssetTool(Protocol):
    """Turns the bytes of one file into others, the same for the same input every time.

    `tests/builder/assets/test_tool_contract.py` holds every implementation to this.
    """

    @property
    def versions(self) -> Mapping[str, str]:
        """Name and version of each program that has a part in the output."""

    @property
    def options(self) -> str:
        """All else that decides the output, in a stable spelling."""

    def run(self, source: Input) -> Output:
        """Work on one file. Safe to call from several threads.

        Raises:
            AssetError: The input is broken (with file, line and column where it has lines), or
                the tool failed, or made suspiciously little of it.
        """

    def close(self) -> None:
        """Stop what the tool keeps running; it is not used after that."""


class Compiler(AssetTool, Protocol):
    """A tool whose output has lines of other files than its input's."""

    def segments(self, source: Input) -> Sequence[Segment]:
        """Return where each part of what `run` makes of a file comes from.

        Raises:
            AssetError: As `run`.
            ValueError, LookupError: The compiler's source map cannot be read.
        """
