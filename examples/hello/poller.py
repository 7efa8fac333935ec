"""Asks all hosts all the time, and counts what they answer."""

import http.client
import json
import threading
from collections import Counter
from typing import NamedTuple

PAUSE = 0.01
PATIENCE = 10.0


class Answer(NamedTuple):
    """A page and the version that made it."""

    version: str
    body: str


class NoAnswer(Exception):
    """A host did not answer, or not with a page."""


def ask(port: int, path: str) -> Answer:
    """Request `/` or `/health` on a connection of its own.

    Raises:
        NoAnswer: The connection failed, or the status is not 200.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode()
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"port {port}, {path}: {error!r}") from error
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise NoAnswer(f"port {port}, {path}: status {response.status}, {body!r}")
    if path == "/health":
        return Answer(json.loads(body)["version"], body)
    return Answer(body.rpartition("This is version ")[2].rstrip(".\n"), body)


class Poller:
    """One thread for each host, from entering the context to leaving it.

    Attributes:
        answers: For each host, how many requests each version answered.
        failures: What went wrong, one text for each request without an answer.
    """

    def __init__(self, ports: dict[str, int]) -> None:
        self.answers: dict[str, Counter[str]] = {host: Counter() for host in ports}
        self.failures: list[str] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._poll, args=item) for item in ports.items()]

    def __enter__(self) -> "Poller":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _poll(self, host: str, port: int) -> None:
        while not self._over.wait(PAUSE):
            for path in ("/", "/health"):
                try:
                    self.answers[host][ask(port, path).version] += 1
                except NoAnswer as failure:
                    self.failures.append(str(failure))
