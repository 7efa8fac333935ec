"""Which host keys are trusted, and what to tell somebody whose host has another."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

import paramiko

from castoff.releaser.errors import HostKeyRejected

SYSTEM_FILE = Path("/etc/ssh/ssh_known_hosts")
USER_FILE = Path("~/.ssh/known_hosts")

# A known_hosts line names the key's type; for RSA, servers negotiate by signature algorithm.
_RSA_SIGNATURES = ("rsa-sha2-512", "rsa-sha2-256")


class TrustedKeys:
    """All known_hosts files, loaded once for all hosts: loading them per client triples CPU.

    Args:
        extra: Files beside the system's and the user's.
        own: Files in place of the user's.
    """

    def __init__(self, extra: Iterable[Path] = (), *, own: Iterable[Path] = (USER_FILE,)) -> None:
        self._keys = paramiko.HostKeys()
        for path in (SYSTEM_FILE, *own, *extra):
            file = path.expanduser()
            if file.is_file():
                self._keys.load(str(file))

    def key_types(self, address: str, port: int) -> tuple[str, ...]:
        """Return the algorithms to ask a host for: those whose key we could check."""
        known = self._keys.lookup(_entry(address, port))
        types: list[str] = []
        for name in known or ():
            types += _RSA_SIGNATURES if name == "ssh-rsa" else [name]
        return tuple(types)

    def known(self, host: str, address: str, port: int, *, alias: str) -> list[str]:
        """Return the keys of a host as lines of a known_hosts file, under another name.

        Raises:
            HostKeyRejected: None is known.
        """
        known = self._keys.lookup(_entry(address, port))
        if known is None or not len(known):
            raise _unknown(host, address, port, "")
        return [f"{alias} {kind} {key.get_base64()}" for kind, key in known.items()]

    def check(self, host: str, address: str, port: int, key: paramiko.PKey) -> None:
        """Accept the key that a host has just proved to hold.

        Raises:
            HostKeyRejected: It is unknown or another one; nothing has been sent to the host.
        """
        known = self._keys.lookup(_entry(address, port))
        if known is None or not len(known):
            raise _unknown(host, address, port, f" ({key.get_name()} {key.fingerprint})")
        if not self._keys.check(_entry(address, port), key):
            raise HostKeyRejected(
                host,
                f"THE HOST KEY OF {_entry(address, port)} HAS CHANGED: "
                f"it now shows {key.get_name()} {key.fingerprint}",
                code="host-key",
                hint="Somebody may be between you and the host. If it was rebuilt, take the old "
                f"key out (ssh-keygen -R {shlex.quote(_entry(address, port))}) "
                "and add the new one.",
            )


def _unknown(host: str, address: str, port: int, which: str) -> HostKeyRejected:
    scan = shlex.join(["ssh-keyscan", "-p", str(port), address])
    return HostKeyRejected(
        host,
        f"the host key of {_entry(address, port)} is not known{which}",
        code="host-key",
        hint=f"Compare the fingerprint with the host's own, then: {scan} >> ~/.ssh/known_hosts",
    )


def _entry(address: str, port: int) -> str:
    return address if port == 22 else f"[{address}]:{port}"  # noqa: PLR2004 (SSH's own port)
