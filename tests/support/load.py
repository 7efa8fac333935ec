"""Constant load by wrk, which reads every answer (`load.lua`)."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_SCRIPT = Path(__file__).with_name("load.lua")
_CONNECTIONS = 8
PAUSE_MS = 60


@dataclass(frozen=True)
class Marks:
    """How pages and their assets tell which version they are of.

    Attributes:
        pattern: What a mark looks like, as Lua's `string.gmatch` takes it; it captures the version.
        page: How many a page has.
        asset: How many the first thing has that a page names in an `href`.
    """

    pattern: str = "v=([^;]+);"
    page: int = 4
    asset: int = 1


@dataclass
class Load:
    """What wrk has seen, once the context is over.

    Attributes:
        failed: Answers of another status than 200.
        mixed: Pages that name more than one version, or not all that they should.
        errors: Connections, requests and answers that were lost or too late.
        versions: Those that were seen.
        examples: Some of what was wrong.
    """

    pages: int = 0
    assets: int = 0
    failed: int = 0
    mixed: int = 0
    errors: int = 0
    versions: set[str] = field(default_factory=set)
    examples: str = ""


@contextlib.contextmanager
def load(
    url: str, *, patience: int = 10, marks: Marks | None = None, pause: int = PAUSE_MS
) -> Iterator[Load]:
    """Read pages and their assets from a URL all the time, over several connections.

    An answer that takes more than `patience` seconds counts as an error. Between an answer and
    the next request of a connection lie `pause` milliseconds; those who answer share the machine
    with those they answer for.
    """
    seen, marks = Load(), marks or Marks()
    process = subprocess.Popen(
        [
            *("wrk", "--threads", str(_CONNECTIONS), "--connections", str(_CONNECTIONS)),
            *("--duration", "3600", "--timeout", str(patience), "--script", str(_SCRIPT), url),
            *("--", str(pause), marks.pattern, str(marks.page), str(marks.asset)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield seen
    finally:
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    lines = out.partition("RESULT\n")[2].splitlines()
    found = dict(line.partition("=")[::2] for line in lines)
    assert found, f"wrk ended with status {process.returncode}: {out}"
    for name in ("pages", "assets", "failed", "mixed", "errors"):
        setattr(seen, name, int(found[name]))
    seen.versions, seen.examples = set(found["versions"].split()), found["examples"]
