"""Real SSH servers for a benchmark: those that the tests run on, without pytest's fixtures.

The servers live in `tests/support`, whose modules import each other as `support.<name>`; a
benchmark is a script, so this is the one place that makes that name known to it. As root each
host has a network, a name, processes and a disk of its own; else the hosts are servers of the
current user on loopback ports.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.append(str(REPOSITORY / "tests"))

from support import fleet_loopback, fleet_namespaces  # noqa: E402 (the line above is for it)
from support.fleet import Fleet, FleetHost, make_key  # noqa: E402
from support.ports import free_ports  # noqa: E402
from support.site import Site  # noqa: E402

__all__ = ["Fleet", "FleetHost", "Site", "disk", "fleet", "free_ports", "kind", "scratch"]

_SHARE = 0.85


def kind() -> str:
    """Return how hosts are run here, in words.

    Raises:
        SystemExit: There can be no SSH servers at all.
    """
    if not fleet_namespaces.missing():
        return "sshd in network namespaces"
    if reason := fleet_loopback.missing():
        sys.exit(f"no SSH servers: {reason}")
    return "sshd on loopback ports"


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="castoff-benchmark-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def disk(count: int, *, most: int = 800) -> str:
    """Return how much each of some hosts may hold, for `fleet`; at most so many megabytes.

    Disks are memory. All of them full must not take this machine's last: who needs more finds its
    disk full.
    """
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, amount = line.partition(":")
        if name == "MemAvailable":
            free = int(amount.split()[0]) // 1024
            return f"{min(most, int(_SHARE * free) // count)}m"
    raise RuntimeError("/proc/meminfo does not say what memory is available")


@contextmanager
def fleet(count: int, *, disk: str = "512m") -> Iterator[Fleet]:
    """Run hosts `web1` to `web<count>`; `disk` bounds what each may hold, where it can be."""
    names = [f"web{number}" for number in range(1, count + 1)]
    with scratch() as folder:
        key = folder / "id_ed25519"
        make_key(key)
        ground = folder / "fleet"
        ground.mkdir()
        if fleet_namespaces.missing():
            run = fleet_loopback.fleet_on_loopback(ground, names, key)
        else:
            run = fleet_namespaces.fleet_in_namespaces(ground, names, key, disk=disk)
        with run as hosts:
            yield hosts
