"""Which folders running processes work in, as far as this user may see (Linux, `/proc`)."""

from __future__ import annotations

import errno
import os

from .layer_link import users

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .layout import Layout

_RELEASE = b"CASTOFF_RELEASE="


def uses_of(layout: Layout) -> Uses:
    """Return what tells which releases, layers and discarded folders are in use."""
    return Uses(layout.releases, layout.layers, layout.trash)


def processes_of_releases(layout: Layout, uses: Uses | None = None) -> dict[str, set[int]]:
    """Return the processes that use each release, by its version.

    A layer that one release alone links to shows that one; what several share shows none of them.

    Args:
        layout: The app's paths.
        uses: What has looked or is going to look again, as `uses_of` returns it.
    """
    owners = owners_of_layers(layout)
    uses = uses_of(layout) if uses is None else uses
    uses.look()
    used = {version: set(numbers) for version, numbers in uses.seen[layout.releases].items()}
    for layer, numbers in uses.seen[layout.layers].items():
        if layer in owners:
            used.setdefault(owners[layer], set()).update(numbers)
    return used


def owners_of_layers(layout: Layout) -> dict[str, str]:
    """Return the release of each layer that one alone links to."""
    return {layer: found[0] for layer, found in users(layout).items() if len(found) == 1}


class Uses:
    """Which folders processes use, looked at as often as one asks; the first look takes longest.

    In use means: as its working directory, its program, a file that it has mapped (a library, an
    extension module), or the release that its launcher has named in its environment. Of processes
    that were looked at a moment before, only the first two are looked at again: to put all that a
    process has mapped into words takes the kernel most of the time of a look.

    Attributes:
        seen: The processes that each folder of a place is in use by, as numbers, in all looks.
    """

    def __init__(self, *places: str) -> None:
        """Take the folders that hold those that count."""
        self._prefixes = [(place, prefix_of(place)) for place in places]
        self.seen: dict[str, dict[str, set[int]]] = {place: {} for place in places}
        self._known: set[int] = set()

    def of(self, place: str) -> dict[str, set[int]]:
        """Look; return the processes that each folder in a place is in use by, as numbers."""
        self.look()
        return self.seen[place]

    def look(self) -> None:
        """Look."""
        for number in process_numbers():
            for text in _places(b"/proc/%d" % number, briefly=number in self._known):
                for at, prefix in self._prefixes:
                    for folder in folders_in(text, prefix):
                        self.seen[at].setdefault(folder, set()).add(number)
            self._known.add(number)


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


def _places(process: bytes, *, briefly: bool) -> Iterator[bytes]:
    """Yield texts that hold absolute paths; a process that is gone or hidden has none."""
    try:
        # Where this cannot be seen, nothing can: a thread of the kernel, or another user's.
        yield os.readlink(process + b"/exe")
        yield _working_directory(process)
        if not briefly:
            yield release_named(_read(process + b"/environ"))
            yield _read(process + b"/maps")
    except OSError:
        return


def _working_directory(process: bytes) -> bytes:
    try:
        return os.readlink(process + b"/cwd")
    except OSError as error:
        # The kernel tells no path that is longer than a page; what else it tells still counts.
        if error.errno == errno.ENAMETOOLONG:
            return b""
        raise


def _read(path: bytes) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()


def _name(text: bytes, start: int) -> bytes:
    end = start
    while end < len(text) and text[end : end + 1] not in (b"/", b"\n", b" "):
        end += 1
    return text[start:end]
