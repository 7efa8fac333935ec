"""What castoff.toml says of how archives come to hosts."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from castoff.config import rates
from castoff.config.table import Table

Rate = Annotated[str, AfterValidator(rates.rate)]


class Transfer(Table):
    """`[environments.E.transfer]`: how archives come to hosts.

    Rates are bytes a second, as in "20M": K, M and G are powers of 1024.
    """

    # For each host.
    max_rate: Rate | None = None
    # For all hosts together, divided evenly among those that lack the version.
    max_rate_total: Rate | None = None
    # Whether hosts of one `zone` fetch from each other what one of them has, so that each byte
    # comes into the zone once.
    peers: bool = False
    # TCP port at which a host serves the others meanwhile; 0 is any that is free.
    peer_port: Annotated[int, Field(ge=0, le=65_535)] = 0

    def rate_of(self, hosts: int) -> int:
        """Return the bytes a second that each of so many hosts may take; 0 for no limit."""
        limits = []
        if self.max_rate is not None:
            limits.append(rates.bytes_a_second(self.max_rate))
        if self.max_rate_total is not None:
            limits.append(max(rates.bytes_a_second(self.max_rate_total) // max(hosts, 1), 1))
        return min(limits, default=0)
