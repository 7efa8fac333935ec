"""What can go wrong between the controller and its hosts, with one exit code each."""

from __future__ import annotations

from collections.abc import Sequence

from castoff.store.errors import CastoffError, ExitCode, StoreError

_MOST_HINTS = 8


class HostError(CastoffError):
    """A host answered a request with an error.

    Attributes:
        host: The host's name in castoff.toml.
        code: The agent's error code; docs/reference/agent-protocol.md lists them.
    """

    exit_code = ExitCode.PREPARE

    def __init__(self, host: str, message: str, *, code: str = "internal", hint: str = "") -> None:
        super().__init__(f"{host}: {message}", hint=hint)
        self.host = host
        self.code = code
        self.detail = message


class HostUnreachable(HostError):
    """No connection, no login, no agent, or the connection was lost."""

    exit_code = ExitCode.UNREACHABLE


class HostKeyRejected(HostUnreachable):
    """The host's key is unknown, or is not the one known."""

    exit_code = ExitCode.HOST_KEY


class HostTimeout(HostUnreachable):
    """The host did not answer in time; what it did is not known."""


class HostsUnknown(CastoffError):
    """The list of an environment's hosts cannot be had from where castoff.toml says it is."""

    exit_code = ExitCode.UNREACHABLE


def hints_of(failures: Sequence[HostError]) -> list[str]:
    """Return what is to be done about failures, each thing once; of very many the first."""
    hints = list(dict.fromkeys(failure.hint for failure in failures if failure.hint))
    if len(hints) <= _MOST_HINTS:
        return hints
    return [*hints[:_MOST_HINTS], f"and so on, for {len(hints) - _MOST_HINTS} more"]


class FleetError(CastoffError):
    """One or more hosts failed in one phase; the message has a line for each."""

    def __init__(self, summary: str, failures: list[HostError], *, hint: str = "") -> None:
        # A step that failed, and fails again on the way back, says the same twice.
        lines = [summary, *dict.fromkeys(f"  {failure.message}" for failure in failures)]
        hints = [hint] if hint else hints_of(failures)
        super().__init__("\n".join(lines), hint="\n".join(hints))
        self.failures = failures


class PreflightFailed(FleetError):
    """A host cannot take the release; nothing was changed on any host."""

    exit_code = ExitCode.PREFLIGHT

    def __init__(self, summary: str, failures: list[HostError], *, hint: str = "") -> None:
        super().__init__(summary, failures, hint=hint)
        codes = {failure.exit_code for failure in failures if isinstance(failure, HostUnreachable)}
        if len(codes) == 1 and all(isinstance(failure, HostUnreachable) for failure in failures):
            self.exit_code = codes.pop()
        elif all(failure.code in ("busy", "stale") for failure in failures):
            self.exit_code = ExitCode.LOCKED


class PrepareFailed(FleetError):
    """A host could not prepare the release, or attests another tree; nothing serves it."""

    exit_code = ExitCode.PREPARE


class TemplateFailed(CastoffError):
    """A configuration file cannot be rendered; nothing was done on any host."""

    exit_code = ExitCode.PREPARE


class NotConverged(FleetError):
    """Some hosts were brought to the environment's version, others could not be."""

    exit_code = ExitCode.DISAGREE


class NotActivated(FleetError):
    """A step between the barrier and the first flip failed; every host serves what it did."""

    exit_code = ExitCode.NOT_ACTIVATED


class BatchFailed(FleetError):
    """A host failed past the barrier; the machine turns this into RolledBack or Mixed."""

    exit_code = ExitCode.MIXED


class RolledBack(FleetError):
    """A host failed after the barrier, and every host is back on what it served before."""

    exit_code = ExitCode.ROLLED_BACK


class TakenOver(FleetError):
    """A later run had come to hosts before this one had brought them back, or was on record."""

    exit_code = ExitCode.LOCKED


class Mixed(FleetError):
    """A host failed after the barrier, and some host could not be brought back."""

    exit_code = ExitCode.MIXED


class PruneFailed(FleetError):
    """Old releases could not be removed from some hosts; what they serve is as it was."""

    exit_code = ExitCode.UNREACHABLE

    def __init__(self, summary: str, failures: list[HostError], *, hint: str = "") -> None:
        super().__init__(summary, failures, hint=hint)
        if all(failure.code in ("busy", "stale") for failure in failures):
            self.exit_code = ExitCode.LOCKED
        elif not all(isinstance(failure, HostUnreachable) for failure in failures):
            self.exit_code = ExitCode.PREPARE


class Damaged(FleetError):
    """Hosts have not, or not wholly, what they were given; or could not be asked."""

    exit_code = ExitCode.CORRUPT

    def __init__(self, summary: str, failures: list[HostError], *, hint: str = "") -> None:
        super().__init__(summary, failures, hint=hint)
        codes = {failure.code for failure in failures}
        if all(isinstance(failure, HostUnreachable) for failure in failures):
            kinds = {failure.exit_code for failure in failures}
            self.exit_code = kinds.pop() if len(kinds) == 1 else ExitCode.UNREACHABLE
        elif "corrupt" not in codes:
            self.exit_code = ExitCode.DISAGREE


class CommandFailed(FleetError):
    """A person's own command failed on some host, or could not be run there."""

    exit_code = ExitCode.COMMAND


class BackupFailed(FleetError):
    """A back-up was not made, or not restored; the data is what it was."""

    exit_code = ExitCode.BACKUP

    def __init__(self, summary: str, failures: list[HostError], *, hint: str = "") -> None:
        super().__init__(summary, failures, hint=hint)
        codes = {failure.code for failure in failures}
        if all(isinstance(failure, HostUnreachable) for failure in failures):
            self.exit_code = ExitCode.UNREACHABLE
        elif codes <= {"busy", "stale"}:
            self.exit_code = ExitCode.LOCKED
        elif codes == {"corrupt"}:
            self.exit_code = ExitCode.CORRUPT


class Incompatible(CastoffError):
    """A version's code may not live with the database; nothing was changed."""

    exit_code = ExitCode.INCOMPATIBLE


class Aborted(CastoffError):
    """A run was given up; what the history says of it."""

    exit_code = ExitCode.NOT_ACTIVATED


class NotRecorded(StoreError):
    """The version is live and healthy on every host, but that could not be written down."""


class Defect(CastoffError):
    """Something of ours broke in the middle; its cause is the exception that nobody foresaw."""


class ChannelClosed(Exception):
    """The far end of a channel is gone; the session says which host that was and why."""


class ChannelTimeout(Exception):
    """Nothing came within the time allowed."""
