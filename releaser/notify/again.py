"""Tell of a run once more: after a notification failed, or to see whether one would arrive."""

from __future__ import annotations

from castoff.releaser.job import Scope
from castoff.releaser.notify.message import of_end
from castoff.releaser.notify.teller import Teller
from castoff.store.errors import CastoffError, ExitCode, UsageError
from castoff.store.history import Entry


class NotTold(CastoffError):
    """Some notifications could not be sent; the message has a line for each."""

    exit_code = ExitCode.NOT_TOLD


def tell_again(scope: Scope, entry: Entry, to: str | None) -> tuple[str, ...]:
    """Send the notifications of an entry of the history; return the names of those sent.

    Args:
        scope: Whose history it is.
        entry: The run.
        to: The one notification to send, whatever outcomes it is for; None for all that are for
            the entry's outcome.

    Raises:
        UsageError: There is no such notification.
        NotTold: Some could not be sent.
    """
    ways = scope.environment.notify
    if to is not None and to not in [way.name for way in ways]:
        known = ", ".join(way.name for way in ways) or "none"
        raise UsageError(
            f"{scope.environment_name} has no notification {to!r}", hint=f"There are: {known}."
        )
    chosen = tuple(
        way for way in ways if way.name == to or (to is None and entry.outcome in way.on)
    )
    teller = Teller(scope.environment, scope.base)
    teller.send(of_end(scope, entry, entry.number), chosen)
    if failed := teller.wait():
        raise NotTold("\n".join(failed))
    return tuple(way.name for way in chosen)
