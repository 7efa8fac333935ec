"""One host's command line, as root: over one connection, or on this machine."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import paramiko

from castoff.releaser.errors import HostUnreachable
from castoff.releaser.transports.become import as_user
from castoff.releaser.transports.ssh import close_all

_BLOCK = 65_536
_LOOK = 0.1
_ASK_LIMIT = 60.0
# The command is the same for everything, so that no login shell has to read it: it passes over
# the password, unless sudo has taken it, and an empty line; what follows is the script.
_READER = "/bin/sh -c 'while IFS= read -r line && [ -n \"$line\" ]; do :; done; exec /bin/sh -s'"
_WHO = 'id -u; echo "${SSH_CONNECTION##* }"\n'
_START = "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8\n"


class Lost(OSError):
    """The connection is gone, or a command did not end in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended, and what it printed."""

    status: int
    stdout: str
    stderr: str


class _Shell(Protocol):
    """Runs one command with all of its standard input at once."""

    def run(self, command: str, given: bytes, timeout: float) -> Answer:
        """Return how it ended.

        Raises:
            Lost: It did not end within `timeout` seconds, or the connection is gone.
        """

    def close(self) -> None:
        """Let go of the connection; never raises."""


class SshShell:
    """Each command in a session of its own, on connections that are already there."""

    def __init__(self, connections: Sequence[paramiko.Transport]) -> None:
        self._connections = connections

    def run(self, command: str, given: bytes, timeout: float) -> Answer:
        """Run a command; see `_Shell`."""
        deadline = time.monotonic() + timeout
        try:
            channel = self._connections[-1].open_session(timeout=timeout)
            try:
                return _finish(channel, command, given, deadline)
            except TimeoutError as error:
                raise Lost(f"did not end within {timeout:g} s") from error
            finally:
                channel.close()
        except Lost:
            raise
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise Lost(f"the connection was lost: {str(error) or type(error).__name__}") from error

    def close(self) -> None:
        """Close all connections, those that others go through last."""
        close_all(self._connections)


def _finish(channel: paramiko.Channel, command: str, given: bytes, deadline: float) -> Answer:
    channel.settimeout(max(deadline - time.monotonic(), _LOOK))
    channel.exec_command(command)
    channel.sendall(given)
    channel.shutdown_write()
    channel.settimeout(_LOOK)
    out, complaints = bytearray(), bytearray()
    while True:
        try:
            data = channel.recv(_BLOCK)
        except TimeoutError:
            if time.monotonic() > deadline:
                raise
            data = None
        while channel.recv_stderr_ready():
            complaints += channel.recv_stderr(_BLOCK)
        if data == b"":
            break
        out += data or b""
    while not channel.exit_status_ready():
        if time.monotonic() > deadline or not channel.get_transport().is_active():
            raise TimeoutError
        time.sleep(_LOOK / 10)
    while channel.recv_stderr_ready():
        complaints += channel.recv_stderr(_BLOCK)
    return Answer(channel.recv_exit_status(), _text(out), _text(complaints))


class LocalShell:
    """Each command as a process of this machine."""

    def run(self, command: str, given: bytes, timeout: float) -> Answer:
        """Run a command; see `_Shell`."""
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", command],
                input=given,
                capture_output=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Lost(f"did not end within {timeout:g} s") from error
        return Answer(done.returncode, _text(done.stdout), _text(done.stderr))

    def close(self) -> None:
        """Do nothing."""


class Link:
    """Root's shell on one host.

    Attributes:
        ssh_port: The port at which its SSH server took us in; None on this machine.
    """

    def __init__(self, host: str, shell: _Shell, password: str | None) -> None:
        """Find out who we are there, and whether sudo makes us root.

        Raises:
            HostUnreachable: It does not, or nothing can be run.
        """
        self._shell = shell
        self._command, self._before = _READER, b"\n"
        try:
            answer = self._run(_WHO, _ASK_LIMIT)
            lines = answer.stdout.split("\n")
            number = lines[0].strip() if len(lines) > 1 else ""
            self.ssh_port = int(lines[1]) if len(lines) > 1 and lines[1].isdigit() else None
            if not number.isdigit():
                raise HostUnreachable(
                    host,
                    f"cannot run commands there: {_last(answer)}",
                    code="login",
                    hint="Provisioning needs /bin/sh on the host, and a user who may run it.",
                )
            if number == "0":
                return
            self._command = as_user("root", _READER, password=password is not None)
            self._before = b"\n" if password is None else f"{password}\n\n".encode()
            answer = self._run(_WHO, _ASK_LIMIT)
        except Lost as error:
            raise HostUnreachable(host, str(error), code="unreachable") from error
        if answer.stdout.split("\n")[0].strip() != "0":
            raise HostUnreachable(
                host,
                f"sudo does not make us root: {_last(answer)}",
                code="sudo",
                hint="Provisioning is done by root: log in as a user who may become it "
                "(`login` and `sudo_password` in [environments.NAME.provision]).",
            )

    def run(self, script: str, *, timeout: float) -> Answer:
        """Run a script of sh as root.

        Args:
            script: It must not read standard input, from which it is read itself.
            timeout: Seconds.

        Raises:
            Lost: It did not end in time, or the connection is gone.
        """
        return self._run(_START + script, timeout)

    def close(self) -> None:
        """Let go of the connection; never raises."""
        self._shell.close()

    def _run(self, script: str, timeout: float) -> Answer:
        return self._shell.run(self._command, self._before + script.encode(), timeout)


def _last(answer: Answer) -> str:
    lines = [line.strip() for line in answer.stderr.splitlines() if line.strip()]
    return " / ".join(lines[-3:]) or f"exit status {answer.status}"


def _text(data: bytes | bytearray) -> str:
    return bytes(data).decode(errors="replace")
