"""Why the agent did not start on a host, from what its login shell and sudo said; no I/O."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from castoff.releaser.errors import HostUnreachable

if TYPE_CHECKING:
    from castoff.config.hosts import ResolvedHost

_TOO_OLD = re.compile(r"castoff: this is Python (\S+)")
_PYTHON = "Install Python 3.8 or newer on the host, or name its interpreter with `python`."
# In words of sh, bash, csh, fish and sudo.
_NO_PROGRAM = re.compile(r"not found|no such file|unknown command", re.IGNORECASE)
_NO_SUDO = re.compile(r"sudo: (?:command )?not found|unknown command: sudo", re.IGNORECASE)
_NO_LOGIN = re.compile(r"account is (?:currently )?not available", re.IGNORECASE)
_MOST_SAID = 300


def not_started(host: ResolvedHost, heard: str, complaints: str) -> HostUnreachable:
    """Return the error for a host whose channel ended before the agent greeted.

    Args:
        host: The host.
        heard: What came on standard output.
        complaints: What came on standard error, and how the command ended.
    """
    said = " / ".join(line.strip() for line in heard.splitlines() if line.strip())[-_MOST_SAID:]
    both = " / ".join(part for part in (said, complaints) if part)
    if host.sudo is not None and (refused := _sudo(host, complaints)) is not None:
        return refused
    if old := _TOO_OLD.search(complaints):
        return _error(
            host,
            "python",
            f"{host.python or 'python3'} there is Python {old[1]}, too old for the agent",
            _PYTHON,
        )
    if _NO_LOGIN.search(both) or "nologin" in both:
        return _error(
            host,
            "shell",
            f"the user may not log in there: {both}",
            "Give the user a shell on the host (chsh -s /bin/sh USER), or name another `user`.",
        )
    if _NO_PROGRAM.search(complaints):
        return _error(host, "python", f"the agent cannot start: {complaints}", _PYTHON)
    return _error(
        host,
        "lost",
        f"the connection ended before the agent started: {both or 'nothing was said'}",
        "See whether this prints `yes`: castoff ssh " + host.name + " -- echo yes",
    )


def _sudo(host: ResolvedHost, complaints: str) -> HostUnreachable | None:
    words = complaints.casefold()
    if _NO_SUDO.search(complaints):
        return _error(
            host,
            "sudo",
            f"there is no sudo there: {complaints}",
            "Install it, or log in as the right user and take `sudo` out of castoff.toml.",
        )
    if "not in the sudoers" in words or "not allowed to" in words or "may not run" in words:
        return _error(
            host,
            "sudo",
            f"sudo does not let the user become {host.sudo}: {complaints}",
            f"Allow it on the host, in a file below /etc/sudoers.d: USER ALL=({host.sudo}) ALL",
        )
    if "unknown user" in words:
        return _error(
            host,
            "sudo",
            f"there is no user {host.sudo!r} to become with sudo",
            f"Make the user on the host (useradd --system {host.sudo}), or mend `sudo`.",
        )
    if "password" in words and "try again" not in words and "incorrect" not in words:
        return _error(
            host,
            "sudo",
            f"sudo asks for a password: {complaints}",
            f"Let it not ask (USER ALL=({host.sudo}) NOPASSWD: ALL), or say with "
            "`sudo_password` where the password is.",
        )
    if "incorrect password" in words or "try again" in words:
        return _error(
            host,
            "sudo",
            f"sudo does not take the password: {complaints}",
            "See what `sudo_password` in castoff.toml names.",
        )
    return None


def _error(host: ResolvedHost, code: str, message: str, hint: str) -> HostUnreachable:
    return HostUnreachable(host.name, message, code=code, hint=hint)
