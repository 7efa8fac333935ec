"""A service that is restarted: which processes are its own, and how it is told to."""

from __future__ import annotations


class Service:
    """What the ways to restart something have in common.

    Attributes:
        name: What it is, for people.
        replaces: Whether its processes of before must all be gone afterwards.
        stays: Processes for which that does not hold.
    """

    name = ""
    replaces = False
    stays: frozenset[int] = frozenset()

    def restart(self) -> None:
        """Make it run the release that `current` names; it may still be busy with that after.

        Raises:
            AgentError: It cannot be done, or has failed already.
        """
        raise NotImplementedError

    def processes(self) -> dict[int, int]:
        """Return its processes, each with when it was started; none where it does not run."""
        raise NotImplementedError

    def hopeless(self) -> str | None:
        """Return why it will not come up any more, where that is known."""
        return None

    def last_words(self) -> None:
        """Tell the controller what may explain why it did not come up."""
