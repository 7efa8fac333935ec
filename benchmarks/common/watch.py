"""Watch all servers from outside while a release goes on: when each did not serve."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass, field

from common.hosts import FleetHost


@dataclass
class Watch:
    """Asks every server again and again, each over one connection, while the context lasts.

    Attributes:
        servers: Address and port of each host's server, by the host's name.
        pause: Seconds between two questions: how exact the answer is.
        answers: For each host, when it was asked (monotonic), whether it served, and what it said.
    """

    servers: dict[str, tuple[str, int]]
    pause: float
    answers: dict[str, list[tuple[float, bool, str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, hosts: tuple[FleetHost, ...], ports: dict[str, int], pause: float) -> Watch:
        """Watch some hosts."""
        return cls({host.name: (host.address, ports[host.name]) for host in hosts}, pause)

    def __enter__(self) -> Watch:
        self.answers = {name: [] for name in self.servers}
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def outages(self, host: str) -> list[tuple[float, float]]:
        """Return when a host stopped to serve, and when it served again."""
        spans: list[tuple[float, float]] = []
        began: float | None = None
        for asked, served, _ in self.answers[host]:
            if not served and began is None:
                began = asked
            elif served and began is not None:
                spans.append((began, asked))
                began = None
        if began is not None:
            raise RuntimeError(f"{host} never served again")
        return spans

    def downtime(self, host: str) -> float:
        """Return for how many seconds a host did not serve."""
        return sum(end - begin for begin, end in self.outages(host))

    def from_first_to_last(self) -> float:
        """Return the seconds from the first outage's beginning to the last one's end; 0 if none."""
        spans = [span for host in self.servers for span in self.outages(host)]
        return max(end for _, end in spans) - min(begin for begin, _ in spans) if spans else 0.0

    def first(self, text: str) -> dict[str, float]:
        """Return when each host first said something; hosts that never did are left out."""
        found: dict[str, float] = {}
        for host, answers in self.answers.items():
            for asked, _, said in answers:
                if text in said:
                    found[host] = asked
                    break
        return found

    async def _all(self) -> None:
        await asyncio.gather(*(self._one(host, at) for host, at in self.servers.items()))

    async def _one(self, host: str, server: tuple[str, int]) -> None:
        reader, writer = await asyncio.open_connection(*server)
        # One question more once it is over, so that the last word is how things are.
        last = False
        while not last:
            last = self._over.is_set()
            asked = time.monotonic()
            writer.write(b"GET / HTTP/1.1\r\nHost: benchmark\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            said = (await reader.readuntil(b"\n")).decode()
            self.answers[host].append((asked, head.startswith(b"HTTP/1.1 200"), said))
            await asyncio.sleep(self.pause)
        writer.close()
