"""Count the bytes that go to and from hosts, at the interfaces of their network namespaces."""

from __future__ import annotations

from pathlib import Path

from common.hosts import FleetHost


def bytes_of(host: FleetHost) -> int | None:
    """Return the bytes that a host has received and sent since it was started.

    Counted at this machine's end of its cable: whole frames, both ways. None where hosts have no
    network of their own.
    """
    cable = getattr(host, "cable", None)
    if cable is None:
        return None
    counters = Path("/sys/class/net") / cable / "statistics"
    return sum(int((counters / name).read_text()) for name in ("rx_bytes", "tx_bytes"))
