"""Work that goes on in a thread while the archive is on its way."""

from __future__ import annotations

import threading

from .arrivals import Stopped
from .errors import AgentError, user_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .arrivals import Arrivals

# Seconds between two looks for how far it is.
_LOOK = 0.1


class Beside:
    """One piece of work on what arrives; a context manager, at whose end it is over.

    It reads what arrives and writes elsewhere. Everything that the controller hears or says goes on
    in the thread that fetches: the channel is not for two.
    """

    def __init__(
        self,
        arrivals: Arrivals,
        work: Callable[[Callable[[int], None]], None],
        make_room: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take what there is to do.

        Args:
            arrivals: What arrives.
            work: Calls what it gets with how many bytes are done; that raises `Stopped` when the
                work is to end.
            make_room: Ends a process where the system allows of no more, for which a thread is
                one, too; returns whether there was any to be ended.
        """
        self._arrivals = arrivals
        self._make_room = make_room
        self._work = work
        self._done = 0
        self._stopped = False
        self._trouble: BaseException | None = None

    def __enter__(self) -> Beside:
        """Begin.

        Raises:
            AgentError: `internal`: there can be no thread.
        """
        while True:
            # Python 3.13 starts none for which it was tried before.
            self._thread = threading.Thread(target=self._run, daemon=True)
            try:
                self._thread.start()
            except RuntimeError:
                if not self._make_room():
                    raise AgentError(
                        "internal",
                        f"user {user_name()} may have no more processes or threads on the host",
                        "Raise the limit (ulimit -u; pids.max of a container), or end some there.",
                    ) from None
            else:
                return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._arrivals.end()
        self._thread.join()

    def finish(self, report: Callable[[int], None]) -> None:
        """Wait until the work is done, everything having arrived.

        Args:
            report: Called now and then with how many bytes are done.

        Raises:
            AgentError: As the work does; so does OSError.
        """
        while self._thread.is_alive():
            self._thread.join(_LOOK)
            report(self._done)
        if self._trouble is not None:
            raise self._trouble
        report(self._done)

    def _run(self) -> None:
        try:
            self._work(self._tell)
        except OSError as error:
            self._trouble = error
            # A disk that is full is full for what arrives, too.
            self._arrivals.fail(error)
        except Exception as error:  # noqa: BLE001 (raised again where somebody waits for the end)
            self._trouble = error

    def _tell(self, done: int) -> None:
        self._done = done
        if self._stopped:
            raise Stopped
