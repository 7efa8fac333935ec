"""Have a host read a release that lies there again."""

from __future__ import annotations

from castoff.releaser.errors import HostError
from castoff.releaser.replies import Verified
from castoff.releaser.session import AgentSession, Asked

# The host's own record of the release is damaged, or there is none: that is an answer.
_ANSWERS = ("missing", "corrupt", "invalid")


def reread(
    session: AgentSession, asked: Asked, *, version: str, most: int, quick: bool = False
) -> Verified | str:
    """Return what differs, or why the host has nothing to hold the release against.

    Args:
        session: With the host.
        asked: How long it may take.
        version: Which release.
        most: How many paths of each kind are named.
        quick: Whether only files that were touched since the release was made are read.

    Raises:
        HostError: The host does not answer.
    """
    try:
        return session.ask(Verified, "verify", asked, version=version, quick=quick, most=most)
    except HostError as error:
        if error.code not in _ANSWERS:
            raise
        return error.detail
