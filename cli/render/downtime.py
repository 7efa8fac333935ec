"""How long each host may have been down, also where the release did not come to a good end."""

from __future__ import annotations

from dataclasses import dataclass

from castoff.releaser.machine import Phase
from castoff.store.history import Entry, HostRow


@dataclass(frozen=True, slots=True)
class Downtime:
    """From when to when a host may have been down, seconds since the epoch.

    Attributes:
        healthy: Whether it ended with the host healthy in the new version; if not, it is taken to
            have lasted until the host's last step, which brought it back if anything did.
    """

    start: float
    end: float
    healthy: bool

    @property
    def seconds(self) -> float:
        """How long."""
        return self.end - self.start


def downtime(entry: Entry, host: HostRow) -> Downtime | None:
    """Return a host's potential downtime, or None if its link was not switched."""
    if host.healthy is not None and host.downtime_seconds is not None:
        return Downtime(host.healthy - host.downtime_seconds, host.healthy, healthy=True)
    if host.flipped is None:
        return None
    migrations = [
        step.started
        for other in entry.hosts
        for step in other.steps
        if step.phase == Phase.MIGRATE.value
    ]
    ends = [step.started + step.seconds for step in host.steps]
    start = min([host.flipped, *migrations])
    return Downtime(start, max([host.flipped, *ends]), healthy=False)
