"""Count the bytes that go to and from hosts, at the interfaces of their network namespaces."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
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
    return sum(_counter(cable, name) for name in ("rx_bytes", "tx_bytes"))


@dataclass(frozen=True)
class Uplink:
    """The line that leads from this machine to all hosts of a fleet, and that they share.

    It is this machine's own port of their bridge: what hosts send each other does not pass it.
    """

    bridge: str

    @classmethod
    def of(cls, host: FleetHost) -> Uplink:
        """Return the line to a host in a network namespace, and to all that are beside it."""
        return cls(str(vars(host)["bridge"]))

    def slow(self, rate: str) -> None:
        """Limit what all hosts together receive over it, in words of tc(8)."""
        limit = ["tbf", "rate", rate, "burst", "16kb", "latency", "400ms"]
        subprocess.run(["tc", "qdisc", "replace", "dev", self.bridge, "root", *limit], check=True)

    def carried(self) -> int:
        """Return the bytes that went over it to hosts so far, as whole frames."""
        return _counter(self.bridge, "tx_bytes")


def _counter(interface: str, name: str) -> int:
    return int((Path("/sys/class/net") / interface / "statistics" / name).read_text())
