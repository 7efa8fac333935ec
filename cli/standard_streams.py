"""Standard streams that are there, take every text, and outlast whoever reads them."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

from castoff.cli.tolerant import Tolerant

_NAMES = ("stdin", "stdout", "stderr")


def ready_streams() -> Tolerant:
    """Let a command read and write its standard streams without a care.

    Returns:
        Standard output, which knows afterwards whether it was written.
    """
    for number, name in enumerate(_NAMES):
        _open(number, name)
    out = _tolerant(sys.stdout)
    sys.stdout, sys.stderr = out, _tolerant(sys.stderr)
    return out


def _open(number: int, name: str) -> None:
    """Open a stream that is closed (`castoff status >&-`): an empty one, or one into nothing.

    Else the next file that is opened takes its number, the lowest that is free (open(2)), and what
    children print goes into that file.
    """
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, os.O_WRONLY if number else os.O_RDONLY)
        os.dup2(opened, number)
        if opened != number:
            os.close(opened)
        os.set_inheritable(number, True)
    if number:
        # Another program that has it too (Node does so) may have made it fail where it would wait.
        os.set_blocking(number, True)
    if getattr(sys, name) is None:
        stream = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115 (for good)
        setattr(sys, name, stream)


def _tolerant(stream: TextIO) -> Tolerant:
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        # A file's name may be bytes that are no text, which come out as the bytes that they are; an
        # encoding that is not Unicode's lacks what others may put into a message.
        unicode = stream.encoding.lower().startswith("utf")
        stream.reconfigure(errors="surrogateescape" if unicode else "backslashreplace")
    return Tolerant(stream)
