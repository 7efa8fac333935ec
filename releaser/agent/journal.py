"""One line for each thing done on a host, for people who look later."""

from __future__ import annotations

import json
import os
import time

from .durable import write_all
from .layout import Layout
from .parameters import Parameters


def note(layout: Layout, what: str, parameters: Parameters, outcome: str) -> None:
    """Append a line and sync it.

    A full disk must not turn a thing that was done into one that failed, least of all the way
    back to the last good release: the journal is for reading, nothing is decided by it.

    Args:
        layout: The app's paths.
        what: The operation.
        parameters: Its parameters, of which `release`, `version` and `name` are noted.
        outcome: `done`, an error's code, or `not finished`.
    """
    entry = {"time": round(time.time(), 3), "what": what, "outcome": outcome}
    for name in ("release", "version", "name"):
        entry[name] = parameters.get(name)
    line = json.dumps(entry)
    try:
        descriptor = os.open(layout.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError:
        return
    try:
        write_all(descriptor, line.encode() + b"\n")
        os.fsync(descriptor)
    except OSError:
        return
    finally:
        os.close(descriptor)
