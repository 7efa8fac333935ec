"""The time in which this host gives its siblings what it fetches."""

from __future__ import annotations

import os

from .errors import AgentError
from .offer import Offer
from .peer_server import ARCHIVE, TABLE, PeerServer
from .peer_token import key_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parameters import Parameters


class Serving:
    """An endpoint that answers from now on, although what it has is known later.

    Attributes:
        offer: What it gives of the archive; `prepare` fills it.
        table: What it gives of the file table.
        place: Where it listens: `address`, `port`.
    """

    def __init__(self, parameters: Parameters) -> None:
        """Begin.

        Raises:
            AgentError: `peer`: there is no listening there. `invalid`.
        """
        try:
            key = key_of(parameters.text("token"))
        except ValueError as error:
            raise AgentError("invalid", "the token for siblings is none") from error
        said = parameters.text_or_none("address")
        address = said or _own_address() or parameters.text("fallback")
        self.offer, self.table = Offer(), Offer()
        self._server = PeerServer(
            {ARCHIVE: self.offer, TABLE: self.table},
            key,
            address,
            parameters.whole("port"),
            parameters.seconds("seconds"),
        )
        if said is None and self._server.on_loopback:
            # Each sibling would find itself there, and wait for what it has to fetch.
            self.end()
            raise AgentError("peer", f"no other host can reach it at {address}")
        self.place: dict[str, Any] = {"address": address, "port": self._server.port}

    def close(self) -> None:
        """Let nobody wait for anything, until there is something again."""
        self.offer.close()
        self.table.close()

    def end(self) -> None:
        """Give nothing more."""
        self.close()
        self._server.end()


def _own_address() -> str | None:
    """Return the address that the controller's connection came in by, if sshd tells.

    Siblings reach a host there rather than where a jump host or a translation of addresses lets the
    controller in.
    """
    words = os.environ.get("SSH_CONNECTION", "").split()
    return words[2] if len(words) == 4 else None  # noqa: PLR2004 (sshd(8))
