"""When Python looks for garbage in rings, which is a matter of what a command is doing."""

from __future__ import annotations

import gc

# New objects after which it looks. What a start makes, modules and classes, stays, and most
# commands make few rings: to look through it every 700 objects, as is usual, takes a sixth of a
# start. As many as here would be some tens of megabytes.
_SHORT = 300_000
# Where hosts come and go, and each leaves some.
_LONG = 20_000


def expect_little() -> None:
    """Let a command start without looking; a short one never does."""
    gc.set_threshold(_SHORT)


def expect_some() -> None:
    """Look from here on, through what is made from here on: what is there stays."""
    gc.freeze()
    gc.set_threshold(_LONG)
