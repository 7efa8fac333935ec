"""Which folders running processes work in, as far as this user may see (Linux, `/proc`)."""

from __future__ import annotations

import os

from .layer_link import users

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .layout import Layout

_RELEASE = b"CASTOFF_RELEASE="


def processes_of_releases(layout: Layout) -> dict[str, set[int]]:
    """Return the processes that use each release, by its version.

    A layer that one release alone links to shows that one; what several share shows none of them.
    """
    owners = owners_of_layers(layout)
    used: dict[str, set[int]] = {}
    for place, folder, number in _uses([layout.releases, layout.layers]):
        version = folder if place == layout.releases else owners.get(folder)
        if version is not None:
            used.setdefault(version, set()).add(number)
    return used


def owners_of_layers(layout: Layout) -> dict[str, str]:
    """Return the release of each layer that one alone links to."""
    return {layer: found[0] for layer, found in users(layout).items() if len(found) == 1}


def processes_in(place: str) -> dict[str, set[int]]:
    """Return the processes that each folder in `place` is in use by, as numbers.

    In use means: as its working directory, its program, a file that it has mapped (a library, an
    extension module), or the release that its launcher has named in its environment.
    """
    used: dict[str, set[int]] = {}
    for _, folder, number in _uses([place]):
        used.setdefault(folder, set()).add(number)
    return used


def _uses(places: list[str]) -> Iterator[tuple[str, str, int]]:
    """Yield one of the places, a folder in it, and the number of a process that uses it."""
    prefixes = [(place, prefix_of(place)) for place in places]
    for number in process_numbers():
        for text in _places(b"/proc/%d" % number):
            for place, prefix in prefixes:
                for folder in folders_in(text, prefix):
                    yield place, folder, number


def prefix_of(place: str) -> bytes:
    """Return what the paths of all folders in `place` begin with, as the kernel names them."""
    return os.fsencode(os.path.realpath(place)) + b"/"


def process_numbers() -> Iterator[int]:
    """Yield the number of each process."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return
    for name in names:
        if name.isdigit():
            yield int(name)


def folders_in(text: bytes, prefix: bytes) -> Iterator[str]:
    """Yield the name of the folder wherever a text goes on after `prefix`."""
    start = text.find(prefix)
    while start >= 0:
        start += len(prefix)
        yield os.fsdecode(_name(text, start))
        start = text.find(prefix, start)


def release_named(environment: bytes) -> bytes:
    """Return the value of CASTOFF_RELEASE among variables divided by NUL."""
    for variable in environment.split(b"\0"):
        if variable.startswith(_RELEASE):
            return variable[len(_RELEASE) :]
    return b""


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
        yield text if name == b"/maps" else release_named(text)


def _name(text: bytes, start: int) -> bytes:
    end = start
    while end < len(text) and text[end : end + 1] not in (b"/", b"\n", b" "):
        end += 1
    return text[start:end]
