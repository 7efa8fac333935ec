"""Whether this host is one that a release was built for."""

from __future__ import annotations

import os

from .errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .parameters import Parameters


# Seconds.
_LIMIT = 10.0


class Target:
    """The manifest's target; store/manifest.py says what each field means."""

    def __init__(self, values: Parameters) -> None:
        self.python = _numbers(values.text("python"))
        self.exact_python = values.flag("exact_python")
        self.abi = values.text_or_none("abi") or ""
        self.requires_python = values.text("requires_python")
        self.machine = values.text("machine")
        self.glibc = values.text("glibc")
        self.musl = values.text_or_none("musl") or ""


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
    if target.glibc:
        _check_library("glibc", target.glibc, glibc())
    if target.musl:
        _check_library("musl", target.musl, musl(machine))


def _check_library(name: str, least: str, found: str | None) -> None:
    if found is None or _numbers(found) < _numbers(least):
        other = glibc()
        here = found or (f"glibc {other}" if other else "another C library")
        raise AgentError(
            "platform",
            f"the release needs {name} {least}, this host has {here}",
            "Build it for this host: with [apps.NAME.build.target] in castoff.toml, on an older "
            "system, or with dependencies whose wheels are for an older one.",
        )


def glibc() -> str | None:
    """Return the C library's version, or None if it is not glibc."""
    try:
        name = os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):
        return None
    return name.partition(" ")[2] if name else None


def musl(machine: str) -> str | None:
    """Return the C library's version, or None if it is not musl.

    Where the C library is glibc, musl may be installed beside it; Python does not run on it.

    Args:
        machine: The machine, as the loader's name has it.
    """
    return None if glibc() is not None else loader_version("/lib/ld-musl-%s.so.1" % machine)


def loader_version(loader: str) -> str | None:
    """Return what musl's loader says of itself when it is run without arguments (PEP 656).

    Args:
        loader: Its path; None is returned if there is none, or it is another program.
    """
    import subprocess

    try:
        said = subprocess.run(
            [loader],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_LIMIT,
            check=False,
        ).stderr.decode("utf-8", "replace")
    except (OSError, subprocess.SubprocessError):
        return None
    found = [line.split()[1] for line in said.splitlines() if line.startswith("Version ")]
    return found[0].partition("-")[0] if found else None


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(".")) if text else ()
    except ValueError:
        raise AgentError("invalid", f"not a version of numbers: {text!r}") from None
