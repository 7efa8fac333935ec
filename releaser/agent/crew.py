"""A few connections to one server that share what is to be fetched from it, piece by piece.

The first one is the thread's that asks: it alone hears the controller, and is all that there is
until the server has answered it with a part. The others help where that is worth another
connection. A server that turns one of them away, or lets it down, is met with one fewer; what that
one had left the others take over.
"""

from __future__ import annotations

import threading
from collections import deque

from .arrivals import Half
from .errors import AgentError
from .flow import Flow, Interrupted
from .ranges import REQUEST, NoRanges, Range, pieces, size_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .range_download import Asker

# Connections to one server. A browser's six have more to do than to keep one line busy.
MOST = 4
# Bytes. A line with 100 ms to and fro is idle for a moment after each; what comes lies open to be
# unpacked in order, at most so far apart.
PIECE = 4 * 1024 * 1024
# Bytes of work, with what requests cost, that are left for each connection more than one.
_WORTH = 512 * 1024
# Bytes that came since it was last let down, for which a connection is made anew at once.
_GAIN = 64 * 1024
# Bytes a second for which a connection is worth having, where the rate is bounded.
_SHARE = 256 * 1024
# Seconds between two looks whether the controller is there, while others fetch.
_LOOK = 0.1


class _Stopped(Exception):
    """Nobody wants it any more."""


class Crew:
    """All connections of one download; a context manager, at whose end none writes any more."""

    def __init__(self, flow: Flow, gap: int, connect: Callable[[], Asker]) -> None:
        """Have a server asked for all members that are left.

        Args:
            flow: What comes, and where it goes.
            gap: Bytes between two members that are fetched with them.
            connect: Makes a connection to the server, which is opened when it is used.
        """
        self._flow = flow
        self._connect = connect
        wanted = flow.arrivals.wanted(gap)
        self._left = deque(pieces(wanted, flow.arrivals.left, PIECE))
        self._changed = threading.Condition()
        self._helpers: list[_Helper] = []
        self._busy = 0
        self._recruited = False
        self._trouble: BaseException | None = None
        self._first = _Worker(self, _First(flow, self), connect())

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for helper in self._helpers:
            helper.stop()
        self._first.asker.close()

    def go_on(self) -> None:
        """Return when nothing is left.

        Raises:
            Interrupted: The last connection broke off.
            AgentError: `corrupt`, `no-space`, …: of any connection; else of the last one.
            NoRanges: The server gives the whole.
            Gone: The controller left.
        """
        while True:
            try:
                self._first.work()
            except Interrupted as interruption:
                if not self._busy:
                    raise
                if self._first.is_worth_another(interruption):
                    continue
                self._first.give_back()
            if not self._helped():
                return

    def take(self) -> Range | None:
        """Return a piece that nobody has taken yet, if there is one."""
        with self._changed:
            return self._left.popleft() if self._left else None

    def take_back(self, piece: Range) -> None:
        """Let another one take a piece."""
        with self._changed:
            self._left.appendleft(piece)

    def recruit(self) -> None:
        """Let others help, now that the server is known to give parts."""
        if self._recruited:
            return
        self._recruited = True
        with self._changed:
            left = list(self._left)
        work = size_of(left) + len(left) * REQUEST
        rate = self._flow.pace.rate
        most = min(MOST, rate // _SHARE) if rate else MOST
        for _ in range(min(most - 1, len(left), work // _WORTH)):
            helper = _Helper(self, self._flow, self._connect())
            with self._changed:
                self._busy += 1
            try:
                helper.start()
            except RuntimeError:
                # The host allows no more threads.
                with self._changed:
                    self._busy -= 1
                break
            self._helpers.append(helper)

    def done(self, trouble: BaseException | None) -> None:
        """Note that a helper does no more.

        Args:
            trouble: What nobody else can mend.
        """
        with self._changed:
            self._busy -= 1
            self._trouble = self._trouble or trouble
            self._changed.notify_all()

    def look(self) -> None:
        """Raise what a helper met that nobody can mend."""
        if self._trouble is not None:
            raise self._trouble

    def _helped(self) -> bool:
        """Wait for those who help; return whether any has left something."""
        while True:
            with self._changed:
                if self._busy and self._trouble is None:
                    self._changed.wait(_LOOK)
                over = not self._busy
            self.look()
            if over:
                return bool(self._left)
            self._flow.wait(0)
            self._flow.arrivals.report(self._flow.arrivals.fetched)


class _Worker:
    """One connection, and the piece that it has in hand."""

    def __init__(self, crew: Crew, flow: Flow, asker: Asker) -> None:
        self._crew = crew
        self._flow = flow
        self.asker = asker
        self._piece: Range | None = None
        self._seen = 0

    def work(self) -> None:
        """Take in one piece after the other until none is left.

        Raises:
            Interrupted: It broke off; the connection is closed.
        """
        while True:
            if self._piece is None:
                self._piece = self._crew.take()
            if self._piece is None:
                return
            try:
                self._fetch(*self._piece)
            except Interrupted:
                self.asker.close()
                raise

    def is_worth_another(self, interruption: Interrupted) -> bool:
        """Whether enough has come since this was asked last to connect again at once."""
        gain, self._seen = self._flow.came - self._seen, self._flow.came
        return gain >= _GAIN and not interruption.pause

    def give_back(self) -> None:
        """Leave what is left of the piece to others, who need members from their first byte on."""
        piece, self._piece = self._piece, None
        if piece is not None:
            half = self._flow.half
            start = piece.start if half.member is None else min(piece.start, half.member.offset)
            half.turn()
            self._crew.take_back(Range(start, piece.end))

    def _fetch(self, position: int, end: int) -> None:
        self._flow.wait(0)
        with self.asker.ask(position, end) as response:
            self._crew.recruit()
            self._flow.begin()
            while position < end:
                block = self.asker.read(response, self._flow.most(end - position))
                position += len(block)
                self._piece = Range(position, end) if position < end else None
                self._flow.take(position - len(block), block)
            self.asker.finish(response)


class _First(Flow):
    """What comes by the connection of the thread that asked."""

    def __init__(self, flow: Flow, crew: Crew) -> None:
        super().__init__(flow.channel, flow.arrivals, flow.pace)
        self._crew = crew

    def wait(self, seconds: float) -> None:
        self._crew.look()
        super().wait(seconds)


class _Beside(Flow):
    """What comes by another connection; its thread never touches the channel."""

    def __init__(self, flow: Flow) -> None:
        super().__init__(flow.channel, flow.arrivals, flow.pace)
        self.half = Half()
        self._stopped = threading.Event()
        self._writing = threading.Lock()

    def write(self, position: int, block: bytes) -> None:
        with self._writing:
            if self._stopped.is_set():
                raise _Stopped
            self.arrivals.write(position, block, self.half)

    def wait(self, seconds: float) -> None:
        if self._stopped.wait(seconds) if seconds else self._stopped.is_set():
            raise _Stopped

    def stop(self) -> None:
        """Have nothing written any more, from the return of this on."""
        self._stopped.set()
        with self._writing:
            pass


class _Helper(threading.Thread):
    """One connection more."""

    def __init__(self, crew: Crew, flow: Flow, asker: Asker) -> None:
        super().__init__(daemon=True)
        self._crew = crew
        self._beside = _Beside(flow)
        self._worker = _Worker(crew, self._beside, asker)

    def run(self) -> None:
        """Help until nothing is left, or the server does not want it."""
        trouble: BaseException | None = None
        try:
            self._help()
        except (_Stopped, Interrupted, NoRanges):
            pass
        except AgentError as error:
            # What the server refuses it may refuse to the first one, too, and that one can tell.
            trouble = None if error.code == "fetch" else error
        except BaseException as error:  # noqa: BLE001 (raised again by the thread that asked)
            trouble = error
        self._worker.give_back()
        self._worker.asker.close()
        self._crew.done(trouble)

    def stop(self) -> None:
        """Have it end; one that is still connecting finds that out later, and does nothing."""
        self._beside.stop()
        self._worker.asker.hang_up()

    def _help(self) -> None:
        while True:
            try:
                self._worker.work()
            except Interrupted as interruption:
                if not self._worker.is_worth_another(interruption):
                    raise
            else:
                return
