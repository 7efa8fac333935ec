"""Whether this host is one that a release was built for."""

from __future__ import annotations

import os

from .errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .parameters import Parameters


class Target:
    """The manifest's target; store/manifest.py says what each field means."""

    def __init__(self, values: Parameters) -> None:
        self.python = _numbers(values.text("python"))
        self.exact_python = values.flag("exact_python")
        self.requires_python = values.text("requires_python")
        self.machine = values.text("machine")
        self.glibc = values.text("glibc")


def check_platform(target: Target) -> None:
    """Compare the machine and its C library with what the release needs.

    Raises:
        AgentError: `platform`.
    """
    machine = os.uname().machine
    if target.machine and target.machine != machine:
        raise AgentError(
            "platform",
            f"the release was built for {target.machine}, this host is {machine}",
            "Build it on a machine of the same kind.",
        )
    found = glibc()
    if target.glibc and (found is None or _numbers(found) < _numbers(target.glibc)):
        raise AgentError(
            "platform",
            f"the release needs glibc {target.glibc}, this host has {found or 'another libc'}",
            "Build it on an older system, or with dependencies whose wheels are for an older one.",
        )


def glibc() -> str | None:
    """Return the C library's version, or None if it is not glibc."""
    try:
        name = os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):
        return None
    return name.partition(" ")[2] if name else None


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(".")) if text else ()
    except ValueError:
        raise AgentError("invalid", f"not a version of numbers: {text!r}") from None
