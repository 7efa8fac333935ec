"""An agent that dies, as if by a power switch, at the n-th call that changes the disk."""

from __future__ import annotations

import zlib

from castoff.releaser.bundle import bundle

_PRELUDE = b"""
import os, stat

def _deadly(call, switch):
    def wrapper(*arguments, **options):
        if arguments and isinstance(arguments[0], int):
            # The protocol's own pipe is not the disk.
            switch["left"] += stat.S_ISFIFO(os.fstat(arguments[0]).st_mode)
        switch["left"] -= 1
        # A thread more, and nobody may see the very zero.
        if switch["left"] <= 0:
            os.kill(os.getpid(), 9)
        return call(*arguments, **options)
    return wrapper

_switch = {"left": %d}
for _name in "mkdir open write pwrite chmod fchmod symlink unlink rmdir rename fsync".split():
    setattr(os, _name, _deadly(getattr(os, _name), _switch))
"""


def deadly_bundle(calls: int) -> bytes:
    """Return the agent's source, made to be killed just before its `calls`-th disk call."""
    start = b"from castoff_agent.main import serve\nserve()\n"
    text = zlib.decompress(bundle())
    assert text.endswith(start)
    return zlib.compress(text[: -len(start)] + _PRELUDE % calls + start)
