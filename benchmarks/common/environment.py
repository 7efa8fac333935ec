"""The environment that measured commands run in."""

from __future__ import annotations

import os
import signal
import sys


def as_users_have_it() -> None:
    """Let Python keep the byte code of what it imports, as it does for every user.

    Some build machines switch that off, and each command line then compiles hundreds of modules
    anew at each start: a second of processor time that nobody else has.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def end_in_order() -> None:
    """Let a benchmark that is told to end (SIGTERM) take its hosts and servers down first."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))
