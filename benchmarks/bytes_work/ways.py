"""What every way to bring releases to a host can be asked."""

from __future__ import annotations

from typing import Protocol

from bytes_work.ground import Ground


class Way(Protocol):
    """A way to bring one release after the other to a host.

    Attributes:
        name: For tables.
        folder: Of the host, for nobody else.
    """

    name: str
    folder: str

    def get(self) -> str:
        """Install what it needs; return its version.

        Raises:
            Unavailable: It cannot be had here.
        """

    def publish(self, it: Ground, number: int) -> None:
        """Make ready on the controller what the host will fetch; its bytes do not count."""

    def fetch(self, it: Ground, number: int) -> int:
        """Bring a release to the host, which has the one before; return bytes by its own count."""

    def tree(self, number: int) -> str:
        """Return where the release's tree then lies on the host."""
