"""What may come in. The port by which we came in ourselves always stays open."""

from __future__ import annotations

from collections.abc import Iterator

from pyinfra.context import host

from castoff.provisioner.engine.ask import ask, holds
from castoff.provisioner.engine.connector import LinkConnector
from castoff.provisioner.engine.options import Options
from castoff.provisioner.engine.things.file import put

_FILE = "/etc/nftables.d/castoff.nft"
_MAIN = "/etc/nftables.conf"
_INCLUDE = f'include "{_FILE}"'
_SSH = "22"


def commands(options: Options) -> Iterator[object]:
    """Yield what opens the ports and closes the others."""
    allowed = options.texts("allow")
    if options.text("kind") == "ufw":
        yield from _ufw(allowed)
    else:
        yield from _nftables(allowed)


def _ssh_ports() -> list[str]:
    """Return the ports of the host's SSH server: ours, and all that its configuration names."""
    configured = ask("sshd -T 2>/dev/null | sed -n 's/^port //p' || true")
    ours = LinkConnector.links[host.name].ssh_port
    found = {*configured, *([] if ours is None else [str(ours)])}
    return sorted(found or {_SSH}, key=int)


def _nftables(allowed: list[str]) -> Iterator[object]:
    # In force before it is in its place: what is cut short in between is done again.
    written = list(put(_FILE, _rules(allowed), check="nft -f {file}"))
    yield from written
    if not holds(f"grep -qxF '{_INCLUDE}' {_MAIN} 2>/dev/null"):
        yield f"printf '%s\\n' '{_INCLUDE}' >>{_MAIN}"
    if not written and not holds("nft list table inet castoff >/dev/null 2>&1"):
        yield f"nft -f {_FILE}"
    if ask("systemctl is-enabled nftables.service 2>/dev/null || true") != ["enabled"]:
        yield "systemctl --quiet enable nftables.service"


def _rules(allowed: list[str]) -> str:
    ports = {
        protocol: [port.partition("/")[0] for port in allowed if port.endswith(f"/{protocol}")]
        for protocol in ("tcp", "udp")
    }
    lines = [f"tcp dport {{ {', '.join(_ssh_ports())} }} accept"]
    lines += [f"{p} dport {{ {', '.join(ports[p])} }} accept" for p in ports if ports[p]]
    opened = "\n".join(f"        {line}" for line in lines)
    # ICMP by its numbers: a minimal Debian has no /etc/protocols to find names in.
    # The table is made and taken away first, so that the file replaces it in one transaction.
    return f"""\
# Written by castoff provision; a change here is undone by its next run.
table inet castoff
delete table inet castoff
table inet castoff {{
    chain input {{
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        ct state invalid drop
        iif "lo" accept
        meta l4proto {{ 1, 58 }} accept
{opened}
    }}
}}
"""


def _ufw(allowed: list[str]) -> Iterator[object]:
    added = ask("ufw show added 2>/dev/null || true")
    for port in [*(f"{port}/tcp" for port in _ssh_ports()), *allowed]:
        if f"ufw allow {port}" not in added:
            yield f"ufw allow {port}"
    if not holds("ufw status 2>/dev/null | grep -q '^Status: active'"):
        yield "ufw --force enable"
