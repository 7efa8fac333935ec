"""What can be wrong with an asset."""

from __future__ import annotations

from castoff.store.errors import CastoffError, ExitCode


class AssetError(CastoffError):
    """An asset cannot be built.

    Attributes:
        file: Logical name or path of the file, or "" where no one file is at fault.
        line: Line in it, from 1, or None where it is not known (images, whole files).
        column: Column in the line, from 1, or None.
    """

    exit_code = ExitCode.BUILD

    def __init__(
        self,
        message: str,
        *,
        file: str = "",
        line: int | None = None,
        column: int | None = None,
        hint: str = "",
    ) -> None:
        place = ":".join(str(part) for part in (file or None, line, column) if part is not None)
        super().__init__(f"{place}: {message}" if place else message, hint=hint)
        self.file = file
        self.line = line
        self.column = column


class ProgramFailed(AssetError):
    """A program of the project's ran to its end, and says that it failed."""


class ToolDoesNotRun(AssetError):
    """A tool that was fetched cannot be run on this machine; no file is at fault."""

    def __init__(self, tool: str, why: str) -> None:
        super().__init__(
            f"{tool} cannot be run: {why}",
            hint="It lies in Castoff's cache, which has to be where programs may be run (a file "
            "system may be mounted noexec): XDG_CACHE_HOME names another place.",
        )
