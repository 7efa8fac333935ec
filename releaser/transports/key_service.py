"""Signatures for a relay that logs in to a host: an SSH agent's answers, for that host alone.

The messages are those of an SSH agent (draft-ietf-sshm-ssh-agent, and OpenSSH's PROTOCOL.agent).
What is signed is looked at: a login of the right user on a connection whose other end has proved,
by its key that we know, to be the host. The relay holds no key and can log in nowhere else.
"""

from __future__ import annotations

from contextlib import closing

import paramiko

from castoff.releaser.errors import HostUnreachable
from castoff.releaser.transports.hostkeys import TrustedKeys
from castoff.releaser.transports.login import keys_of
from castoff.releaser.transports.route import Hop

_FAILURE = b"\x05"
_SUCCESS = b"\x06"
_LIST = 11
_LISTED = 12
_SIGN = 13
_SIGNED = 14
_EXTENSION = 27
_EXTENSION_FAILURE = b"\x1c"
_BIND = "session-bind@openssh.com"
_USERAUTH_REQUEST = 50
# What paramiko raises at words that are none of SSH's, and for an SSH agent that does not sign.
_UNFIT = (
    paramiko.SSHException,
    paramiko.pkey.UnknownKeyType,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
)
# By the flags of a request: how to sign with an RSA key.
_RSA = {2: "rsa-sha2-256", 4: "rsa-sha2-512"}


class KeyService:
    """Answers what the ssh of one host asks; used by one thread.

    Attributes:
        offered: Where the keys are from that the host was shown.
        unbound: Whether a signature was refused for want of a proof which host it was for.
    """

    def __init__(self, hop: Hop, trusted: TrustedKeys) -> None:
        self._hop = hop
        self._trusted = trusted
        self._bound: set[bytes] = set()
        self.offered: list[str] = []
        self.unbound = False

    def answer(self, request: bytes) -> bytes:
        """Return the answer to a request.

        Raises:
            HostKeyRejected: The connection leads to another host than it should.
            HostUnreachable: A key file cannot be used.
        """
        try:
            return self._answer(request)
        except _UNFIT:
            return _FAILURE

    def _answer(self, request: bytes) -> bytes:
        message = paramiko.Message(request)
        kind = message.get_byte()[0] if request else 0
        if kind == _LIST:
            return self._list()
        if kind == _SIGN:
            return self._sign(message)
        if kind == _EXTENSION:
            return self._bind(message)
        return _FAILURE

    def _list(self) -> bytes:
        with closing(keys_of(self._hop)) as keys:
            found = [(origin, key.asbytes()) for origin, key in keys]
        self.offered = [origin for origin, _ in found]
        if not found:
            raise HostUnreachable(
                self._hop.host,
                f"login as {self._hop.user} refused (keys offered: none: no agent and no key "
                "in ~/.ssh)",
                code="login",
            )
        answer = paramiko.Message()
        answer.add_byte(bytes([_LISTED]))
        answer.add_int(len(found))
        for origin, blob in found:
            answer.add_string(blob)
            answer.add_string(origin)
        return answer.asbytes()

    def _bind(self, message: paramiko.Message) -> bytes:
        if message.get_text() != _BIND:
            return _EXTENSION_FAILURE
        shown, session, signature = (message.get_string() for _ in range(3))
        if message.get_boolean():
            # Of whoever would hand the keys on from there.
            return _FAILURE
        host_key = paramiko.PKey.from_type_string(paramiko.Message(shown).get_text(), shown)
        if not host_key.verify_ssh_sig(session, paramiko.Message(signature)):
            return _FAILURE
        self._trusted.check(self._hop.host, self._hop.address, self._hop.port, host_key)
        self._bound.add(session)
        return _SUCCESS

    def _sign(self, message: paramiko.Message) -> bytes:
        blob, data, flags = message.get_string(), message.get_string(), message.get_int()
        if not self._may_sign(blob, paramiko.Message(data)):
            return _FAILURE
        with closing(keys_of(self._hop)) as keys:
            for _, key in keys:
                if key.asbytes() == blob:
                    signature = key.sign_ssh_data(data, _RSA.get(flags & 6))
                    answer = paramiko.Message()
                    answer.add_byte(bytes([_SIGNED]))
                    answer.add_string(_bytes(signature))
                    return answer.asbytes()
        return _FAILURE

    def _may_sign(self, blob: bytes, data: paramiko.Message) -> bool:
        """Whether it is the login (RFC 4252, section 7) that this is all about."""
        session, kind = data.get_string(), data.get_byte()
        user, service, method = (data.get_string() for _ in range(3))
        if session not in self._bound:
            self.unbound = True
            return False
        return (
            kind == bytes([_USERAUTH_REQUEST])
            and user == self._hop.user.encode()
            and service == b"ssh-connection"
            and method in (b"publickey", b"publickey-hostbound-v00@openssh.com")
            and data.get_boolean()
            and data.get_string() != b""
            and data.get_string() == blob
        )


def _bytes(signature: bytes | paramiko.Message) -> bytes:
    """A key of an SSH agent returns the bytes, one of a file the message."""
    return signature if isinstance(signature, bytes) else signature.asbytes()
