"""Ctrl-C before a command has begun and after it has ended, when there is nothing to bring back."""

from __future__ import annotations

import os
import signal

_INTERRUPTED = 130


def leave_at_once() -> None:
    """Let an interrupt end the process, without a word of Python's; an ignored one stays so."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def raise_again() -> None:
    """Let an interrupt be an exception, which commands know what to do about."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(*_: object) -> None:
    os._exit(_INTERRUPTED)
