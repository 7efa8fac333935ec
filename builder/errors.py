"""What can stop a build: the source is not what it should be, or a tool fails on it."""

from __future__ import annotations

from castoff.store.errors import CastoffError, ExitCode

_LINES = 20


class SourceError(CastoffError):
    """The commit, its lock or its files cannot be built from: nothing was run yet."""

    exit_code = ExitCode.SOURCE


class StaleLock(SourceError):
    """The lock does not fit what the project asks for any more."""

    exit_code = ExitCode.STALE_LOCK


class BuildError(CastoffError):
    """A tool failed, or what it made cannot be released.

    Attributes:
        command: The program that failed, by name; empty where none did.
        output: Its last lines; they are in the message too.
    """

    exit_code = ExitCode.BUILD

    def __init__(
        self, message: str, *, hint: str = "", command: str = "", output: str = ""
    ) -> None:
        lines = output.strip().splitlines()[-_LINES:]
        tail = "".join(f"\n    {line}" for line in lines)
        super().__init__(message + tail, hint=hint)
        self.command = command
        self.output = "\n".join(lines)


class UnfitTree(BuildError):
    """What was made cannot lie on a host as it is: a link, a name, a right."""

    exit_code = ExitCode.UNFIT


class NoIndex(BuildError):
    """An index of packages does not answer, or answers with an error."""

    exit_code = ExitCode.INDEX


class WrongHash(BuildError):
    """What an index has is not what was locked."""

    exit_code = ExitCode.WRONG_HASH
