"""Which folders running processes work in, as far as this user may see (Linux, `/proc`)."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_RELEASE = b"CASTOFF_RELEASE="


def processes_in(place: str) -> dict[str, set[int]]:
    """Return the processes that each folder in `place` is in use by, as numbers.

    In use means: as its working directory, its program, a file that it has mapped (a library, an
    extension module), or the release that its launcher has named in its environment.
    """
    prefix = os.fsencode(os.path.realpath(place)) + b"/"
    used: dict[str, set[int]] = {}
    for number in _processes():
        for text in _places(b"/proc/" + number):
            start = text.find(prefix)
            while start >= 0:
                start += len(prefix)
                used.setdefault(os.fsdecode(_name(text, start)), set()).add(int(number))
                start = text.find(prefix, start)
    return used


def _processes() -> Iterator[bytes]:
    try:
        names = os.listdir(b"/proc")
    except OSError:
        return
    for name in names:
        if name.isdigit():
            yield name


def _places(process: bytes) -> Iterator[bytes]:
    """Yield texts that hold absolute paths; a process that is gone or hidden has none."""
    for link in (b"/cwd", b"/exe"):
        try:
            yield os.readlink(process + link)
        except OSError:
            continue
    for name in (b"/maps", b"/environ"):
        try:
            with open(process + name, "rb") as file:
                text = file.read()
        except OSError:
            continue
        yield text if name == b"/maps" else _release(text)


def _release(environment: bytes) -> bytes:
    """Return the value of CASTOFF_RELEASE among variables divided by NUL."""
    for variable in environment.split(b"\0"):
        if variable.startswith(_RELEASE):
            return variable[len(_RELEASE) :]
    return b""


def _name(text: bytes, start: int) -> bytes:
    end = start
    while end < len(text) and text[end : end + 1] not in (b"/", b"\n", b" "):
        end += 1
    return text[start:end]
