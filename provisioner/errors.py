"""What can go wrong in provisioning, with one exit code each."""

from __future__ import annotations

from castoff.releaser.errors import FleetError, HostError
from castoff.store.errors import CastoffError, ExitCode


class NotProvisioned(FleetError):
    """Something could not be made so on some host; what was done before it stays."""

    exit_code = ExitCode.PROVISION


class NotReached(FleetError):
    """Some hosts cannot be worked on; nothing was changed on any."""

    exit_code = ExitCode.UNREACHABLE

    def __init__(self, summary: str, failures: list[HostError], *, hint: str = "") -> None:
        super().__init__(summary, failures, hint=hint)
        codes = {failure.exit_code for failure in failures}
        if len(codes) == 1:
            self.exit_code = codes.pop()


class CannotProvision(CastoffError):
    """There is nothing to do it with: no description, no pyinfra, or a command that fails."""

    exit_code = ExitCode.PROVISION


class NothingDescribed(CannotProvision):
    """The environment has no table of what its hosts are to get."""

    exit_code = ExitCode.USAGE
