"""The program `castoff`: the command line in a process of its own, which ends with it."""

from __future__ import annotations

import atexit
import os
import sys

from castoff.cli.garbage import expect_little
from castoff.cli.interrupt import leave_at_once


def program() -> None:
    """Run the command line, and leave with its exit code."""
    leave_at_once()
    expect_little()
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
