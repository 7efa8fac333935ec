"""Fetch from a sibling what it has, or will have; `peer_server` says what it answers."""

from __future__ import annotations

import http.client
import re

from .errors import AgentError
from .flow import Interrupted
from .peer_server import NEXT, SCHEME
from .peer_token import key_of, proof

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .flow import Flow
    from .parameters import Parameters
    from .ranges import Range

# Seconds to reach a sibling, which is near, and for its answer: within five it says that there is
# nothing yet.
_REACH = 3
_PATIENCE = 15
_BLOCK = 256 * 1024
# Bytes of one question: a sibling that has some of them gives those.
_MOST_ASKED = 16 * 1024 * 1024
_TOO_EARLY = 425
# How often in a row a sibling may say that it does not know yet what it will have, or has not got
# it yet. Before each of these answers it waits for five seconds, if it is honest.
_MOST_TRIES = {_TOO_EARLY: 12, http.client.SERVICE_UNAVAILABLE: 60}
# How many of such waits are as long as `_PATIENCE`; and how many each sibling gets, however long
# others were waited for.
_SILENCE = 3
_LEAST_TRIES = 2
# Seconds before it is asked again.
_PAUSE = 0.1
_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/(?:[0-9]+|\*)")
_OFFSET = re.compile(r"[0-9]{1,18}")


class Siblings:
    """How siblings have kept us waiting, for as long as this agent runs.

    A file table, a patch and an archive are asked for one after the other, each of several
    siblings. What they may cost is counted once for all of that, and a sibling that hangs is not
    waited for twice.
    """

    def __init__(self) -> None:
        self._hung: set[str] = set()
        self._waits = 0

    def check(self, name: str) -> None:
        """Refuse to ask a sibling again that gave nothing when it was waited for.

        Raises:
            AgentError: `fetch`: it is such a one.
        """
        if name in self._hung:
            raise AgentError("fetch", "gave nothing before, and is not waited for again")

    def wait(self, name: str, most: int, own: int) -> None:
        """Count one more wait for nothing.

        Args:
            name: The sibling.
            most: How many waits there may be in a row.
            own: How many of them were for this sibling, with this one.

        Raises:
            AgentError: `fetch`: it is one too many.
        """
        self._waits += 1
        if self._waits > most and own > _LEAST_TRIES:
            self._hung.add(name)
            raise AgentError("fetch", "has not got it")

    def gave(self) -> None:
        """Hear that something came."""
        self._waits = 0

    def hung(self, name: str) -> None:
        """Hear that a sibling did not say a word."""
        self._hung.add(name)
        self._waits += _SILENCE


def take_from_peer(source: Parameters, flow: Flow, what: str, siblings: Siblings) -> None:
    """Take in those members that are left and that a sibling has.

    Args:
        source: The sibling.
        flow: What comes, and where it goes.
        what: Of what they are members, as `peer_server` calls it.
        siblings: What is known of siblings by now.

    Raises:
        AgentError: `fetch`: it cannot be reached, or ceased to answer. `corrupt`: it lies.
            `no-space`, `permission`: what came cannot be written.
        Gone: The controller left.
    """
    try:
        key = key_of(source.text("token"))
    except ValueError as error:
        raise AgentError("invalid", "the token for a peer is none") from error
    name = source.text("name")
    siblings.check(name)
    connection = http.client.HTTPConnection(
        source.text("address"), source.whole("port"), timeout=_REACH
    )
    try:
        peer = _Peer(name, connection, key, flow, f"/{what}", siblings)
        peer.reach()
        peer.take_all()
    except http.client.HTTPException as error:
        raise AgentError("fetch", f"broke off ({type(error).__name__})") from None
    except Interrupted as error:
        raise AgentError("fetch", str(error)) from None
    finally:
        connection.close()


class _Peer:
    """One sibling that is asked."""

    def __init__(
        self,
        name: str,
        connection: http.client.HTTPConnection,
        key: bytes,
        flow: Flow,
        path: str,
        siblings: Siblings,
    ) -> None:
        self._name = name
        self._connection = connection
        self._path = path
        self._key = key
        self._flow = flow
        self._siblings = siblings
        self._tries = 0

    def reach(self) -> None:
        try:
            self._connection.connect()
        except OSError as error:
            raise self._failure("cannot be reached", error) from None
        self._connection.timeout = _PATIENCE
        self._connection.sock.settimeout(_PATIENCE)

    def take_all(self) -> None:
        position: int | None = 0
        while position is not None:
            run = self._flow.arrivals.run_from(position, _MOST_ASKED)
            if run is None:
                return
            self._flow.channel.check()
            position = self._take(run)

    def _take(self, run: Range) -> int | None:
        """Ask for a run of members; return from where on to ask next, None for no more."""
        wanted = f"bytes={run.start}-{run.end - 1}"
        headers = {
            "Authorization": SCHEME + proof(self._key, self._path, wanted),
            "Range": wanted,
            "User-Agent": "castoff",
        }
        try:
            self._connection.request("GET", self._path, headers=headers)
            response = self._connection.getresponse()
        except OSError as error:
            raise self._failure("does not answer", error) from None
        with response:
            if response.status == http.client.PARTIAL_CONTENT:
                return self._read(response, run)
            response.read(0)
            return self._other(response, run)

    def _other(self, response: http.client.HTTPResponse, run: Range) -> int | None:
        if response.status in _MOST_TRIES:
            self._tries += 1
            self._siblings.wait(self._name, _MOST_TRIES[response.status], self._tries)
            self._flow.channel.check(_PAUSE)
            return run.start
        if response.status == http.client.NOT_FOUND:
            told = response.headers.get(NEXT, "")
            following = int(told) if _OFFSET.fullmatch(told) else None
            return following if following is not None and following > run.start else None
        raise AgentError("fetch", f"answers with status {response.status}")

    def _read(self, response: http.client.HTTPResponse, run: Range) -> int:
        match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        position, end = (int(match[1]), int(match[2]) + 1) if match else (-1, 0)
        if position != run.start or not position < end <= run.end:
            raise AgentError("fetch", "answers with another range than the one asked for")
        self._tries = 0
        self._siblings.gave()
        self._flow.begin()
        while position < end:
            try:
                block = response.read1(min(_BLOCK, end - position))
            except OSError as error:
                raise self._failure("broke off", error) from None
            if not block:
                raise AgentError("fetch", "broke off")
            self._flow.take(position, block)
            position += len(block)
        return position

    def _failure(self, what: str, error: OSError) -> AgentError:
        # Before Python 3.10 it has a class of its own.
        if isinstance(error, TimeoutError) or type(error).__name__ == "timeout":
            self._siblings.hung(self._name)
            return AgentError("fetch", f"{what}: no answer in time")
        return AgentError("fetch", f"{what}: {error.strerror or type(error).__name__}")
