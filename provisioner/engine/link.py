"""One host's command line, as root: over one connection, or on this machine."""

from __future__ import annotations

import re
import secrets
import subprocess
import time
from dataclasses import dataclass
from typing import Protocol

import paramiko

from castoff.releaser.errors import HostUnreachable
from castoff.releaser.transports.become import as_user
from castoff.releaser.transports.connection import Connection

_BLOCK = 65_536
_LOOK = 0.1
_PAUSE = 0.005
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
    """Runs scripts by one command, which reads them from standard input."""

    def begin(self, command: str, before: bytes, timeout: float) -> None:
        """Have further scripts read by a command, which gets `before` first.

        Raises:
            Lost: It cannot be started within `timeout` seconds.
        """

    def run(self, script: str, timeout: float) -> Answer:
        """Return how a script ended; a command that has ended by itself answers 255.

        Raises:
            Lost: It did not end within `timeout` seconds, or the connection is gone.
        """

    def close(self) -> None:
        """Let go of the connection; never raises."""


class SshShell:
    """One shell for all scripts, on a connection that is already there.

    A new session for each would cost its host a process and three round trips more.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._channel: paramiko.Channel | None = None
        # After each script it prints this line, which nothing else does, on both of its outputs.
        self._mark = f"castoff-{secrets.token_hex(16)}"

    def begin(self, command: str, before: bytes, timeout: float) -> None:
        """Start the command; see `_Shell`."""
        if self._channel is not None:
            self._channel.close()
        try:
            self._channel = self._connection.transport.open_session(timeout=timeout)
            self._channel.settimeout(timeout)
            self._channel.exec_command(command)
            self._channel.sendall(before)
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise Lost(_broken(error)) from error

    def run(self, script: str, timeout: float) -> Answer:
        """Run a script in a shell below that one; see `_Shell`."""
        mark = self._mark
        whole = f"(\n{script}\n)\nprintf '\\n%s %s\\n' {mark} $?; printf '\\n%s\\n' {mark} >&2\n"
        if self._channel is None:
            raise Lost("the connection is closed")
        try:
            return self._answer(self._channel, whole.encode(), time.monotonic() + timeout)
        except TimeoutError as error:
            # What still runs there would answer in the place of the next.
            self._channel.close()
            self._channel = None
            raise Lost(f"did not end within {timeout:g} s") from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise Lost(_broken(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _answer(self, channel: paramiko.Channel, given: bytes, deadline: float) -> Answer:
        channel.settimeout(max(deadline - time.monotonic(), _LOOK))
        try:
            channel.sendall(given)
        except OSError:
            # It has ended, and what it said last tells why.
            if not channel.closed and not channel.eof_received:
                raise
        channel.settimeout(_LOOK)
        end = re.compile(rf"\n{self._mark} (\d+)\n\Z".encode())
        out, complaints = bytearray(), bytearray()
        while (match := end.search(out, max(len(out) - 80, 0))) is None:
            try:
                data = channel.recv(_BLOCK)
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise
                continue
            finally:
                _drain(channel, complaints)
            if not data:
                return Answer(255, _text(out), _text(complaints) + "\nthe connection was lost")
            out += data
        over = f"\n{self._mark}\n".encode()
        while not complaints.endswith(over):
            if time.monotonic() > deadline:
                raise TimeoutError
            time.sleep(0 if _drain(channel, complaints) else _PAUSE)
        return Answer(int(match[1]), _text(out[: match.start()]), _text(complaints[: -len(over)]))


def _drain(channel: paramiko.Channel, complaints: bytearray) -> bool:
    found = False
    while channel.recv_stderr_ready():
        complaints += channel.recv_stderr(_BLOCK)
        found = True
    return found


def _broken(error: BaseException) -> str:
    return f"the connection was lost: {str(error) or type(error).__name__}"


class LocalShell:
    """Each script by a process of this machine."""

    def __init__(self) -> None:
        self._command, self._before = "", b""

    def begin(self, command: str, before: bytes, timeout: float) -> None:  # noqa: ARG002
        """Keep the command for later; see `_Shell`."""
        self._command, self._before = command, before

    def run(self, script: str, timeout: float) -> Answer:
        """Run a script; see `_Shell`."""
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", self._command],
                input=self._before + script.encode(),
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
        try:
            shell.begin(_READER, b"\n", _ASK_LIMIT)
            answer = shell.run(_WHO, _ASK_LIMIT)
            lines = [*answer.stdout.split("\n"), "", ""]
            self.ssh_port = int(lines[1]) if lines[1].isdigit() else None
            if not lines[0].isdigit():
                raise HostUnreachable(
                    host,
                    f"cannot run commands there: {_last(answer)}",
                    code="login",
                    hint="Provisioning needs /bin/sh on the host, and a user who may run it.",
                )
            if lines[0] == "0":
                return
            before = b"\n" if password is None else f"{password}\n\n".encode()
            shell.begin(as_user("root", _READER, password=password is not None), before, _ASK_LIMIT)
            answer = shell.run(_WHO, _ASK_LIMIT)
        except Lost as error:
            raise HostUnreachable(host, str(error), code="unreachable") from error
        if answer.stdout.split("\n")[0] != "0":
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
        return self._shell.run(_START + script, timeout)

    def close(self) -> None:
        """Let go of the connection; never raises."""
        self._shell.close()


def _last(answer: Answer) -> str:
    lines = [line.strip() for line in answer.stderr.splitlines() if line.strip()]
    return " / ".join(lines[-3:]) or f"exit status {answer.status}"


def _text(data: bytes | bytearray) -> str:
    return bytes(data).decode(errors="replace")
