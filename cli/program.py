"""The program `castoff`: the command line in a process of its own, which ends with it."""

from __future__ import annotations

import atexit
import gc
import os
import sys

# New objects after which Python looks for garbage in rings. What a start makes, modules and
# classes, stays, and a command makes few rings: to look through it every 700 objects, as is usual,
# takes a sixth of a start. As many as here would be some tens of megabytes.
_OBJECTS = 300_000


def program() -> None:
    """Run the command line, and leave with its exit code."""
    gc.set_threshold(_OBJECTS)
    end = _End()
    # Before anybody else asks for the same, so that this comes last.
    atexit.register(end.leave)
    from castoff.cli.main import main

    try:
        main()
        end.code = 0
    except SystemExit as left:
        end.code = left.code if isinstance(left.code, int) else int(left.code is not None)
        raise


class _End:
    """Ends the process after all that was to be done at its end.

    Python would now take apart every module and every object, one by one, which takes as long as
    many a command; the kernel frees the lot.
    """

    def __init__(self) -> None:
        self.code = 1

    def leave(self) -> None:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(self.code)
