"""Ask servers all the time from the side, and keep every answer."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from types import TracebackType


@dataclass(frozen=True)
class Answer:
    """One answer: when it was asked for (monotonic), by whom given, and what it said."""

    asked: float
    host: str
    stamps: tuple[str, ...]
    pages: int
    error: str = ""


@dataclass
class Poller:
    """Polls each URL in a thread of its own while the context lasts, and once at its end.

    Attributes:
        pause: Between an answer and the next question, in seconds. Those who answer share the
            machine with those they answer for.
    """

    urls: dict[str, str]
    pause: float = 0.04
    answers: list[Answer] = field(default_factory=list)

    def __enter__(self) -> Poller:
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._poll, args=(host, url)) for host, url in self.urls.items()
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def of(self, host: str) -> list[Answer]:
        """Return a host's answers, oldest first."""
        return [answer for answer in self.answers if answer.host == host]

    def _poll(self, host: str, url: str) -> None:
        over = False
        while not over:
            over = self._stop.wait(self.pause)
            self.answers.append(ask(host, url))


def ask(host: str, url: str) -> Answer:
    """Ask once."""
    asked = time.monotonic()
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            said = json.load(response)
    except (OSError, ValueError) as error:
        return Answer(asked, host, (), 0, str(error))
    return Answer(asked, host, tuple(said["stamps"]), said["pages"])
