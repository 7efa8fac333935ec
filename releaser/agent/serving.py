"""The time in which this host gives its siblings what it fetches."""

from __future__ import annotations

import os

from .errors import AgentError
from .manifest import digest_text
from .offer import Offer, Offers
from .peer_server import ARCHIVE, TABLE, PeerServer, of_patch
from .peer_token import key_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parameters import Parameters


class Serving:
    """An endpoint that answers from now on, although what it has is known later.

    Attributes:
        offers: What it gives; `prepare` fills them.
        place: Where it listens: `address`, `port`.
    """

    def __init__(self, parameters: Parameters) -> None:
        """Begin.

        Raises:
            AgentError: `peer`: there is no listening there. `invalid`.
        """
        try:
            key = key_of(parameters.text("token"))
            patch = parameters.text_or_none("patch")
            names = [] if patch is None else [of_patch(digest_text(patch))]
        except ValueError as error:
            raise AgentError("invalid", "the token for siblings, or the patch, is none") from error
        said = parameters.text_or_none("address")
        address = said or _own_address() or parameters.text("fallback")
        self.offers = Offers(Offer(), Offer(), Offer())
        served = {ARCHIVE: self.offers.archive, TABLE: self.offers.table}
        served.update((name, self.offers.patch) for name in names)
        self._server = PeerServer(
            served,
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

    def end(self) -> None:
        """Give nothing more."""
        self.offers.close()
        self._server.end()


def _own_address() -> str | None:
    """Return the address that the controller's connection came in by, if sshd tells.

    Siblings reach a host there rather than where a jump host or a translation of addresses lets the
    controller in.
    """
    words = os.environ.get("SSH_CONNECTION", "").split()
    return words[2] if len(words) == 4 else None  # noqa: PLR2004 (sshd(8))
