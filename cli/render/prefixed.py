"""Lines of many hosts on one standard output, each behind its host's name."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence


class Prefixed:
    """Writes `web1 | text`, whole lines at a time, from any thread."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._width = max((len(host) for host in hosts), default=0)
        self._lock = threading.Lock()

    def say(self, host: str, text: str) -> None:
        """Write a line, or several if the text has them."""
        lines = "".join(f"{host:<{self._width}} | {line}\n" for line in text.splitlines() or [""])
        with self._lock:
            sys.stdout.write(lines)
            sys.stdout.flush()
