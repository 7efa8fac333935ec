"""Which folders running processes work in, as far as this user may see (Linux, `/proc`)."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def folders_in_use(place: str) -> set[str]:
    """Return the names of those folders in `place` that some process has open.

    That is: as its working directory, its program, or a file that it has mapped (a library, an
    extension module).
    """
    prefix = os.fsencode(os.path.realpath(place)) + b"/"
    used = set()
    for process in _processes():
        for text in _places(process):
            start = text.find(prefix)
            while start >= 0:
                start += len(prefix)
                used.add(os.fsdecode(_name(text, start)))
                start = text.find(prefix, start)
    return used


def _processes() -> Iterator[bytes]:
    try:
        names = os.listdir(b"/proc")
    except OSError:
        return
    for name in names:
        if name.isdigit():
            yield b"/proc/" + name


def _places(process: bytes) -> Iterator[bytes]:
    """Yield texts that hold absolute paths; a process that is gone or hidden has none."""
    for link in (b"/cwd", b"/exe"):
        try:
            yield os.readlink(process + link)
        except OSError:
            continue
    try:
        with open(process + b"/maps", "rb") as file:
            yield file.read()
    except OSError:
        return


def _name(text: bytes, start: int) -> bytes:
    end = start
    while end < len(text) and text[end : end + 1] not in (b"/", b"\n", b" "):
        end += 1
    return text[start:end]
