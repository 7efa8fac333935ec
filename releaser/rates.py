"""How fast archives may come to hosts: each host's share, and how the controller keeps to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from castoff.config.rates import rate
from castoff.releaser.agent.pace import Pace
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job, Scope
from castoff.store.errors import UsageError

Read = Callable[..., Iterator[bytes]]


def limited(
    scope: Scope, max_rate: str | None, max_rate_total: str | None, *, peers: bool = True
) -> Scope:
    """Return a scope in which what the command line says of rates, and against peers, wins.

    Raises:
        UsageError: That is no rate.
    """
    said: dict[str, object] = {} if peers else {"peers": False}
    for key, text in (("max_rate", max_rate), ("max_rate_total", max_rate_total)):
        if text is None:
            continue
        try:
            said[key] = rate(text)
        except ValueError as error:
            raise UsageError(f"--{key.replace('_', '-')}: {text!r} {error}") from None
    transfer = scope.environment.transfer.model_copy(update=said)
    environment = scope.environment.model_copy(update={"transfer": transfer})
    return replace(scope, environment=environment)


def rate_of_each(job: Job, fleet: Fleet) -> int:
    """Return the bytes a second that each host may take of the archive; 0 for no limit.

    Hosts that have the version count only if there are no others: what they may lack is known to
    them alone, and is mostly nothing.
    """
    lacking = [
        name for name, opened in fleet.opened.items() if job.version not in opened.state.releases
    ]
    return job.environment.transfer.rate_of(len(lacking) or len(fleet.opened))


def paced(read: Read, pace: Pace, wait: Callable[[float], None] = time.sleep) -> Read:
    """Return `read`, slowed down: what it yields waits until its bytes may come."""

    def slowly(*wanted: object) -> Iterator[bytes]:
        for block in read(*wanted):
            left = memoryview(block)
            while left:
                piece = bytes(left[: pace.most(len(left))])
                yield piece
                left = left[len(piece) :]
                if pause := pace.spend(len(piece)):
                    wait(pause)

    return slowly
