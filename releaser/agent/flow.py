"""What comes over the network, and where it goes: not too fast, and not too slowly."""

from __future__ import annotations

import time

from .errors import from_os_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .arrivals import Arrivals
    from .messages import Channel
    from .pace import Pace

_BLOCK = 256 * 1024
# Seconds for each wait on the network, not for the whole.
PATIENCE = 15
# Fewer bytes than this in that time are as good as none: a server that drips is not waited for.
_FEWEST = 4 * 1024


class Interrupted(Exception):
    """The transfer broke off in a way that trying again may mend.

    Attributes:
        pause: Seconds that the server asks to wait for; 0 if it says nothing.
    """

    def __init__(self, message: str, pause: int = 0) -> None:
        super().__init__(message)
        self.pause = pause


class Flow:
    """What comes over the network, and where it goes.

    Attributes:
        channel: Looked at between any two blocks, in case the controller leaves.
        arrivals: Takes the blocks.
        pace: How fast they may come, by all ways together.
        half: What has come of a member.
        came: Bytes that came by this way.
    """

    def __init__(self, channel: Channel, arrivals: Arrivals, pace: Pace) -> None:
        self.channel = channel
        self.arrivals = arrivals
        self.pace = pace
        self.half = arrivals.half
        self.came = 0
        self.begin()

    def begin(self) -> None:
        """Expect the bytes of an answer."""
        self._since = time.monotonic()
        self._few = 0

    def most(self, left: int) -> int:
        """Return how many bytes to read at once of so many that are left."""
        return self.pace.most(min(_BLOCK, left))

    def take(self, position: int, block: bytes) -> None:
        """Take a block that has come, and wait as long as the next one has to.

        Raises:
            Interrupted: The last ones were so few that nothing would come of waiting.
            AgentError: `corrupt`: it completes a wrong member. `no-space`, `permission`, …: ours,
                not the network's: another try would not mend it.
            Gone: The controller left.
        """
        try:
            self.write(position, block)
        except OSError as error:
            raise from_os_error(error) from error
        self.came += len(block)
        self._few += len(block)
        now = time.monotonic()
        if self._few >= _FEWEST:
            self._since, self._few = now, 0
        elif now - self._since > PATIENCE:
            raise Interrupted(f"sent fewer than {_FEWEST} bytes in {PATIENCE} s")
        self.wait(self.pace.spend(len(block)))

    def write(self, position: int, block: bytes) -> None:
        """Put a block where it belongs."""
        self.arrivals.write(position, block)

    def wait(self, seconds: float) -> None:
        """Wait, and look meanwhile whether there is anybody left to fetch for."""
        self.channel.check(seconds)
