"""What shows which release a process runs from."""

from __future__ import annotations

import os
from typing import NamedTuple

from ..errors import AgentError
from ..processes import folders_in, owners_of_layers, prefix_of, release_named
from .process_table import process_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Callable

    from ..layout import Layout

    # Runs a program, given the numbers of processes, as somebody who may see more.
    LookInto = Callable[[Sequence[int], Sequence[str]], str]

# For each thing that can be seen, what to call it.
_WORDS = {
    b"cwd": "its working folder",
    b"exe": "its program",
    b"fd": "a file that it has open",
    b"maps": "a library that it has loaded",
    b"environ": "CASTOFF_RELEASE in its environment",
}
# What a process has from the step's own command shows where that ran, and not whose code runs now.
INHERITED = "the working folder that it has from the step's command"
# Another way to write the same path, which nothing but `as_handed_on` uses.
_HANDED_ON = "/./releases/"
# The same for processes that only another user may look into.
_LOOK = r"""
for p; do
    echo "process $p"
    for link in cwd exe; do
        printf '%s ' $link
        readlink "/proc/$p/$link" || echo
    done
    for file in /proc/$p/fd/*; do
        printf 'fd '
        readlink "$file" || echo
    done
    sed 's/^/maps /' "/proc/$p/maps"
    tr '\0' '\n' <"/proc/$p/environ" | sed -n 's/^CASTOFF_RELEASE=/environ /p'
done 2>/dev/null
true
"""


class _Place(NamedTuple):
    """Where traces lead to.

    Attributes:
        releases: What the paths of all releases begin with.
        layers: The same of all layers.
        owners: The release of each layer that one alone links to; what several share shows none.
    """

    releases: bytes
    layers: bytes
    owners: dict[str, str]


def as_handed_on(root: str, version: str) -> str:
    """Return a release's folder as CASTOFF_RELEASE of a command that starts a service.

    A process that only inherits it is known by that, while a launcher sets the variable anew.
    """
    return f"{root}{_HANDED_ON}{version}"


def evidence(
    processes: Iterable[int], layout: Layout, ask: LookInto | None
) -> dict[int, dict[str, str] | None]:
    """Return for each process what shows it to be of which releases, by their versions.

    Args:
        processes: Their numbers; those that have gone are left out of what is returned.
        layout: The app's paths.
        ask: Looks into processes as somebody who may see more, or None.

    Returns:
        None for a process that may not be looked into. INHERITED is what shows least.

    Raises:
        AgentError: What `ask` raises.
    """
    place = _Place(prefix_of(layout.releases), prefix_of(layout.layers), owners_of_layers(layout))
    found: dict[int, dict[str, str] | None] = {}
    hidden = []
    for number in processes:
        try:
            found[number] = _releases(_traces(number), place)
        except PermissionError:
            hidden.append(number)
        except OSError:
            continue
    if hidden and ask is not None:
        found.update(_asked(hidden, ask, place))
    else:
        found.update(dict.fromkeys(hidden))
    return found


def _traces(number: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield what there is to see of a process: the kind, and a text that holds paths.

    Raises:
        PermissionError: It is another user's.
        OSError: It has gone.
    """
    process = b"/proc/%d/" % number
    yield b"cwd", os.readlink(process + b"cwd")
    yield b"exe", os.readlink(process + b"exe")
    for name in os.listdir(process + b"fd"):
        try:
            yield b"fd", os.readlink(process + b"fd/" + name)
        except FileNotFoundError:
            continue
    for kind in (b"maps", b"environ"):
        with open(process + kind, "rb") as file:
            text = file.read()
        yield kind, text if kind == b"maps" else release_named(text)


def _releases(traces: Iterable[tuple[bytes, bytes]], place: _Place) -> dict[str, str]:
    seen = list(traces)
    handed_on = (b"environ", True) in {(kind, _HANDED_ON.encode() in text) for kind, text in seen}
    found: dict[str, str] = {}
    inherited: list[str] = []
    for kind, text in seen:
        versions = list(folders_in(text, place.releases))
        if handed_on and kind == b"cwd" and b"/" not in text[len(place.releases) :]:
            inherited += versions
            continue
        layers = folders_in(text, place.layers)
        versions += [place.owners[layer] for layer in layers if layer in place.owners]
        for version in versions:
            found.setdefault(version, _WORDS[kind])
    for version in inherited:
        found.setdefault(version, INHERITED)
    return found


def _asked(hidden: list[int], ask: LookInto, place: _Place) -> dict[int, dict[str, str] | None]:
    try:
        told = ask(hidden, ["/bin/sh", "-c", _LOOK, "sh"])
    except AgentError as error:
        # The script itself never fails: this is why nobody could become the step's user.
        if error.code != "step-failed":
            raise
        raise AgentError(
            "step-failed",
            f"process {hidden[0]} is another user's, and cannot be looked into: {error.message}",
            "Let sudo on the host make the step's `user`, or the one that the app runs as, of who "
            "releases, without a password: castoff provision with sudo = { become = true } does.",
        ) from error
    number = 0
    traces: dict[int, list[tuple[bytes, bytes]]] = {}
    for line in told.split("\n"):
        kind, _, text = line.partition(" ")
        if kind == "process":
            number = int(text)
            traces[number] = []
        elif kind.encode() in _WORDS and text:
            traces[number].append((kind.encode(), os.fsencode(text)))
    there = process_table()
    # Of one that has gone meanwhile, or is a third user's, not even the working folder is seen.
    return {
        number: _releases(seen, place) if seen else None
        for number, seen in traces.items()
        if seen or number in there
    }
