"""What became of a relay's login to a host, from what its ssh said; no I/O."""

from __future__ import annotations

import re
import shlex

from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import HostKeyRejected, HostUnreachable
from castoff.releaser.transports.route import Hop

_KEY_REFUSED = re.compile(r"Host key verification failed|host key is known", re.IGNORECASE)
_CHANGED = re.compile(r"IDENTIFICATION HAS CHANGED")
_FINGERPRINT = re.compile(r"^(SHA256:\S+?)\.?\s*$", re.MULTILINE)
_LOGIN_REFUSED = re.compile(r"Permission denied|Too many authentication failures")
# Of a server that drops some of many that come at once, or that is just starting.
_PASSING = re.compile(
    r"Connection refused|Connection reset|Connection closed|kex_exchange_identification"
)
_MOST_SAID = 300
# Of a relay whose ssh wants a signature and does not prove which host it is for.
TOO_OLD = (
    "its OpenSSH is older than 8.9 and cannot prove which host it logs in to, so no key is lent to "
    'it (update it, or let it log in with a key of its own: relay_login = "relay")'
)


def is_passing(said: str) -> bool:
    """Whether trying again may help."""
    return bool(_PASSING.search(said)) and not _LOGIN_REFUSED.search(said)


def not_let_in(
    host: ResolvedHost, hop: Hop, relay: str, said: str, *, offered: list[str]
) -> HostUnreachable:
    """Return the error for a host that a relay could not log in to.

    Args:
        host: The host.
        hop: Where it is, and who logs in.
        relay: The relay's name.
        said: What ssh said there.
        offered: Where the keys are from that it offered.
    """
    there = f"{hop.address} port {hop.port}"
    if _KEY_REFUSED.search(said):
        return _key_refused(host, hop, relay, said)
    if _LOGIN_REFUSED.search(said):
        keys = f" (keys offered: {', '.join(offered)})" if offered else ""
        return HostUnreachable(
            host.name,
            f"login as {hop.user} at {there} from the relay {relay} refused{keys}",
            code="login",
            hint=f"Put the public key into ~{hop.user}/.ssh/authorized_keys on {hop.address}.",
        )
    last = " / ".join(line.strip() for line in said.splitlines() if line.strip())[-_MOST_SAID:]
    return HostUnreachable(
        host.name,
        f"cannot connect to {there} from the relay {relay}: {last or 'nothing was said'}",
        code="unreachable",
        hint=f"Try on {relay}: ssh -p {hop.port} {hop.user}@{hop.address}",
    )


def _key_refused(host: ResolvedHost, hop: Hop, relay: str, said: str) -> HostKeyRejected:
    shown = _FINGERPRINT.search(said)
    fingerprint = f": it now shows {shown[1]}" if shown else ""
    if _CHANGED.search(said):
        what = (
            f"THE HOST KEY OF {hop.address} port {hop.port} HAS CHANGED, "
            f"as seen from the relay {relay}{fingerprint}"
        )
    else:
        what = (
            f"the host key of {hop.address} port {hop.port}, as seen from the relay {relay}, "
            "is of a type that is not known here"
        )
    return HostKeyRejected(
        host.name,
        what,
        code="host-key",
        hint="Somebody may be between the relay and the host. If the host was rebuilt, take the "
        f"old key out of known_hosts here (ssh-keygen -R {shlex.quote(hop.address)}) and add the "
        "new one.",
    )
