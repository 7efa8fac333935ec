"""The `ssh` transport: one paramiko connection and one channel a host, host keys verified."""

from __future__ import annotations

import logging
import random
import socket
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import paramiko

from castoff.releaser.errors import (
    ChannelClosed,
    ChannelTimeout,
    HostKeyRejected,
    HostUnreachable,
)
from castoff.releaser.patience import now
from castoff.releaser.transports.connection import Connection, Part, hang_up
from castoff.releaser.transports.ending import ending
from castoff.releaser.transports.hostkeys import USER_FILE, TrustedKeys
from castoff.releaser.transports.login import log_in
from castoff.releaser.transports.pool import Part as SharedPart
from castoff.releaser.transports.pool import Pool
from castoff.releaser.transports.route import Hop

_BLOCK = 65_536
_RETRY_PAUSE = 0.4
# Tries, where there are other ways.
_BRIEFLY = 2
_KEEPALIVE = 10
# Seconds in which a server answers that is there.
_LEAST = 2.0
_LAST_WORDS = 0.5
_LOOK = 0.02
# How long the thread of a connection waits for data before it looks whether there is anything else
# to do: paramiko's tenth of a second costs a processor for a few hundred idle connections.
_QUIET = 5.0
_TCP_USER_TIMEOUT = 30_000
# Finite-field exchanges of 2048 bits and more cost four to ten times the CPU of a curve.
_SLOW_KEX = ("diffie-hellman-group16-sha512", "diffie-hellman-group14-sha256")

# Its thread logs what ends a connection, with a traceback, beside the error that we get and tell;
# where nobody has set logging up, Python would print that.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class SshChannel:
    """The agent's command on a host, at the end of one connection, most often its own.

    Attributes:
        detour: Why it does not go by way of a relay, where the host has one.
    """

    def __init__(self, channel: paramiko.Channel, connection: Part) -> None:
        self.detour = ""
        self._channel = channel
        self._connection = connection
        self._stderr = bytearray()

    def send(self, data: bytes, *, timeout: float) -> None:
        """Write to the agent's standard input; see `Channel`."""
        deadline = now() + timeout
        at = 0
        while at < len(data):
            self._channel.settimeout(_left(deadline))
            try:
                sent = self._channel.send(data[at : at + _BLOCK])
            except TimeoutError as error:
                # Else it was this process that did not get to run.
                if now() >= deadline:
                    raise ChannelTimeout from error
                continue
            except (OSError, EOFError, paramiko.SSHException) as error:
                raise ChannelClosed from error
            if not sent:
                raise ChannelClosed
            at += sent

    def receive(self, *, timeout: float) -> bytes:
        """Read from the agent's standard output; see `Channel`."""
        self._channel.settimeout(timeout)
        try:
            data = self._channel.recv(_BLOCK)
        except TimeoutError as error:
            raise ChannelTimeout from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise ChannelClosed from error
        finally:
            self._drain_stderr()
        if not data:
            raise ChannelClosed
        return data

    def complaints(self) -> str:
        """Return the last lines of standard error; see `Channel`."""
        # The last words and the status come after the end of standard output.
        until = time.monotonic() + _LAST_WORDS
        while not self._channel.exit_status_ready() and time.monotonic() < until:
            time.sleep(_LOOK)
        self._drain_stderr()
        lines = self._stderr.decode(errors="replace").splitlines()[-10:]
        if self._channel.exit_status_ready():
            lines.append(ending(self._channel.recv_exit_status()))
        return " / ".join(line.strip() for line in lines if line.strip())

    def close(self) -> None:
        """Close the channel, and its connection or its part in one."""
        self._channel.close()
        self._connection.close()

    def _drain_stderr(self) -> None:
        while self._channel.recv_stderr_ready():
            self._stderr += self._channel.recv_stderr(_BLOCK)
            del self._stderr[:-_BLOCK]


class SshTransport:
    """Opens channels to hosts; one object serves a whole fleet.

    Its hosts share trusted keys, and connections to the jump hosts that they are behind.
    """

    def __init__(self, extra_known_hosts: Iterable[Path] = ()) -> None:
        self._extra = tuple(extra_known_hosts)
        self._trusted: dict[tuple[Path, ...], TrustedKeys] = {}
        self._lock = threading.Lock()
        self._jumps: Pool[Connection] = Pool("jump host")
        self._relays: Pool[Connection] = Pool("relay")

    def open(
        self,
        command: str,
        hops: Sequence[Hop],
        *,
        timeout: float,
        shared: bool = False,
        brief: bool = False,
    ) -> SshChannel:
        """Connect by way of all hops, and start `command` at the last, within `timeout` seconds.

        Args:
            command: For the login shell there.
            hops: The way.
            timeout: Seconds.
            shared: Whether all that is opened so to the last hop goes over one connection.
            brief: Whether a refusal counts soon, since there are other ways.

        Raises:
            HostKeyRejected: The key of a hop is unknown or has changed.
            HostUnreachable: No connection, no login, or no command.
        """
        deadline = now() + timeout
        while True:
            try:
                return self._open(command, hops, deadline, shared=shared, brief=brief)
            except ChannelTimeout as error:
                # Else it was this process that did not get to run.
                if now() >= deadline:
                    raise _unreachable(hops[-1], TimeoutError()) from error

    def _open(
        self, command: str, hops: Sequence[Hop], deadline: float, *, shared: bool, brief: bool
    ) -> SshChannel:
        connection: Part
        if shared:
            connection = part = self._share(self._relays, hops, deadline, brief=brief)
            transport = part.whole.transport
        else:
            connection = own = self.connect(hops, timeout=_left(deadline))
            transport = own.transport
        patience = _left(deadline)
        try:
            channel = transport.open_session(timeout=patience)
            # paramiko would wait for the answer without end.
            channel.event = _Limited(patience)
            channel.exec_command(command)
        except paramiko.ChannelException as error:
            connection.close()
            if shared:
                # It may not carry so many (`MaxSessions` of sshd).
                return self._open(command, hops, deadline, shared=False, brief=brief)
            raise _unreachable(hops[-1], error) from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            silent = transport.is_active() and isinstance(
                error, paramiko.SSHException | TimeoutError
            )
            # Others must not wait for what does not answer any more.
            if not silent or patience >= _LEAST:
                hang_up(transport)
            connection.close()
            if silent:
                raise ChannelTimeout from error
            raise _unreachable(hops[-1], error) from error
        except BaseException:
            connection.close()
            raise
        return SshChannel(channel, connection)

    def connect(self, hops: Sequence[Hop], *, timeout: float, brief: bool = False) -> Connection:
        """Return a connection to the last hop by way of the others, within `timeout` seconds.

        A connection that is dropped before login is tried again after a random pause: `sshd`
        drops some of many that come at once (`MaxStartups`).

        Raises:
            HostKeyRejected: The key of a hop is unknown or has changed.
            HostUnreachable: No connection, or no login.
        """
        deadline = now() + timeout
        *before, last = hops
        if not before:
            return Connection(self._connect(last, None, deadline, brief=brief))
        through = self._share(self._jumps, before, deadline)
        try:
            return Connection(self._connect(last, through.whole.transport, deadline), through)
        except BaseException:
            through.close()
            raise

    def trusted_by(self, hop: Hop) -> TrustedKeys:
        """Return the keys that count for a hop."""
        with self._lock:
            if hop.known_hosts not in self._trusted:
                own = hop.known_hosts or (USER_FILE,)
                self._trusted[hop.known_hosts] = TrustedKeys(self._extra, own=own)
            return self._trusted[hop.known_hosts]

    def _share(
        self,
        pool: Pool[Connection],
        hops: Sequence[Hop],
        deadline: float,
        *,
        brief: bool = False,
    ) -> SharedPart[Connection]:
        key = tuple(replace(hop, host="") for hop in hops)
        return pool.part(
            key,
            hops[-1].host,
            lambda: self.connect(hops, timeout=_left(deadline), brief=brief),
            timeout=_left(deadline),
        )

    def _connect(
        self,
        hop: Hop,
        through: paramiko.Transport | None,
        deadline: float,
        *,
        brief: bool = False,
    ) -> paramiko.Transport:
        for number in count(1):
            try:
                return self._connect_once(hop, through, deadline)
            except HostUnreachable:
                raise
            except (OSError, EOFError, paramiko.SSHException) as error:
                pause = _RETRY_PAUSE * (1 + random.random())  # noqa: S311 (jitter)
                gone = through is not None and not through.is_active()
                # By a limit that was all that was left: this process did not get to run meanwhile.
                held_up = isinstance(error, TimeoutError) and hop.timeout is None
                gone |= brief and number == _BRIEFLY and isinstance(error, ConnectionRefusedError)
                if now() + pause >= deadline or gone or not (held_up or _passing(error)):
                    raise _unreachable(hop, error) from error
                time.sleep(pause)
        raise AssertionError

    def _connect_once(
        self, hop: Hop, through: paramiko.Transport | None, deadline: float
    ) -> paramiko.Transport:
        trusted = self.trusted_by(hop)
        limit = _left(deadline) if hop.timeout is None else min(hop.timeout, _left(deadline))
        if through is None:
            stream: socket.socket | paramiko.Channel = _dial(hop.address, hop.port, limit)
        else:
            place = (hop.address, hop.port)
            stream = through.open_channel("direct-tcpip", place, ("127.0.0.1", 0), timeout=limit)
        transport = paramiko.Transport(stream, disabled_algorithms={"kex": list(_SLOW_KEX)})
        transport.banner_timeout = transport.auth_timeout = _left(deadline)
        try:
            wanted = trusted.key_types(hop.address, hop.port)
            if wanted:
                options = transport.get_security_options()
                supported = [name for name in wanted if name in options.key_types]
                options.key_types = tuple(supported) or options.key_types
            _shake_hands(transport, _left(deadline))
            key = transport.get_remote_server_key()
            trusted.check(hop.host, hop.address, hop.port, key)
            log_in(transport, hop)
            transport.set_keepalive(_KEEPALIVE)
            stream.settimeout(_QUIET)
        except BaseException:
            transport.close()
            raise
        return transport


class _Limited(threading.Event):
    """An event for which nobody waits longer than so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for it.

        Raises:
            TimeoutError: It has not come.
        """
        if not super().wait(self._seconds if timeout is None else timeout):
            raise TimeoutError
        return True


def _shake_hands(transport: paramiko.Transport, timeout: float) -> None:
    """Agree on keys with a server, which may have taken the connection and be silent."""
    transport.start_client(timeout=timeout)
    # It returns as well when the time is up.
    if transport.is_active() and not transport.initial_kex_done:
        raise TimeoutError


def _dial(address: str, port: int, timeout: float) -> socket.socket:
    stream = socket.create_connection((address, port), timeout=timeout)
    # paramiko never sets it; without it a small request waits for the last one's ACK.
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _TCP_USER_TIMEOUT)
    return stream


def _passing(error: BaseException) -> bool:
    """Whether trying again may help: a refused, reset or dropped connection."""
    if isinstance(error, socket.gaierror):
        return False
    return isinstance(error, ConnectionError | EOFError | paramiko.SSHException)


def _unreachable(hop: Hop, error: BaseException) -> HostUnreachable:
    if isinstance(error, HostKeyRejected):
        return error
    what = str(error) or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        what = error.strerror
    if isinstance(error, TimeoutError):
        what = "no answer in time"
    return HostUnreachable(
        hop.host,
        f"{hop.part}cannot connect to {hop.address} port {hop.port}: {what}",
        code="unreachable",
        hint=f"Try: ssh -p {hop.port} {hop.user}@{hop.address}",
    )


def _left(deadline: float) -> float:
    return max(deadline - now(), 0.05)
