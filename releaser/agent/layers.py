"""Share the dependencies of releases: a folder that several of them link to, made once.

A layer is never changed. What is proven of it is in its seal, `.castoff/layers/<name>.seal`, which
is written once all of it is on the disk; without one it is nobody's to share. A seal is a line of
JSON, and after it the records of all that lies in the layer, as the digest of a tree covers them.
Killed at any point, what a release links to is there; a layer that none links to is removed by the
next `prune`, or, without a seal, by the next `prepare`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from functools import cached_property
from itertools import chain

from .as_written import seal_as_written
from .columns import Link, Links, Members
from .durable import sync_folder, write_blocks
from .entries import in_order
from .errors import AgentError, from_os_error
from .index import backwards
from .layer_link import BELOW, FOLDER, is_layer, is_shared, link_to, users
from .named_tuple import NamedTuple
from .paths import check_links
from .placed import remove
from .processes import Uses, uses_of
from .seal import clock_moves_on, seal_of
from .spill import Spill
from .table import Table
from .texts import Texts
from .trash import delete, folders_of, weigh
from .tree import holds, records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from typing import Any

    from .layout import Layout
    from .reuse import Wanted

_DIGITS = 16
_READ_ONLY, _OPEN = 0o555, 0o755
_ENDING = ".seal"
_BLOCK = 64 * 1024
# A step up that does not begin the way: out of what a link went down into, maybe the layer.
_UP_AGAIN = re.compile(r"(^|/)(?!\.\.?/)[^/]+/+(\./+)*\.\.(/|$)")


class InWords(NamedTuple):
    """What a layer holds.

    Attributes:
        digest: Of all of it; layers of the same digest hold the same.
        records: What a tree's digest covers of what lies in it.
    """

    digest: str
    records: Spill


class Shareable:
    """What of a release may lie in a layer.

    Attributes:
        part: The rows of the table about it, its top among them.
        rest: All other rows.
    """

    def __init__(self, part: Table, rest: Table) -> None:
        self.part = part
        self.rest = rest

    @cached_property
    def words(self) -> InWords:
        """What it holds, in the words of a tree's digest; they take a while for many files."""
        # They are read but once, from front to back.
        digest, kept = hashlib.sha256(), Spill(_BLOCK)
        for path, record in records(self.part):
            digest.update(record)
            if path != FOLDER:
                kept.add(record)
        return InWords(digest.hexdigest(), kept)

    @property
    def beside(self) -> Table:
        """All rows but for those about what lies in it."""
        return self.rest._replace(directories=Texts(chain(self.rest.directories, [FOLDER])))


class Found(NamedTuple):
    """What was found of layers that should hold what is wanted.

    Attributes:
        name: The one to use, or None.
        spoilt: Those that hold it no longer, or may not.
    """

    name: str | None
    spoilt: list[str]


def shareable(wanted: Wanted) -> Shareable | None:
    """Return what of a release may lie in a layer; None where it would not work from there.

    That is where shared or writable paths lie in it, where a link of it leads out of it, and where
    code of the project itself is in it, which may look for its release in the folders above it, and
    which every release changes anyway.
    """
    table, plan = wanted.table, wanted.shared
    if FOLDER not in table.directories or any(map(is_shared, (*plan.links, *plan.directories))):
        return None
    paths = table.files.paths
    part = Table(
        Members(),
        Texts(path for path in table.directories if is_shared(path)),
        table.files.picked(r for r, path in enumerate(paths) if is_shared(path)),
        Links(link for link in table.links if is_shared(link.path)),
    )
    if not part.files or not _links_work(table, part):
        return None
    if _has_own_code(part.directories, wanted.manifest.data):
        return None
    rest = Table(
        table.members,
        Texts(path for path in table.directories if not is_shared(path)),
        table.files.picked(r for r, path in enumerate(paths) if not is_shared(path)),
        Links(link for link in table.links if not is_shared(link.path)),
    )
    return Shareable(part, rest)


def _links_work(table: Table, part: Table) -> bool:
    """Whether all links of a release lead to the same where its dependencies lie elsewhere."""
    start = len(FOLDER) + 1
    try:
        check_links(Links(Link(link.path[start:], link.target) for link in part.links))
    except AgentError:
        return False
    return not any(_UP_AGAIN.search(at.target) for at in table.links if not is_shared(at.path))


def may_lie_in_a_layer(directories: list[str], links: list[list[str]], manifest: bytes) -> bool:
    """Whether dependencies that lie in one for another release may do so for this one, too.

    Args:
        directories: Those in the layer.
        links: All of the release, path and target.
        manifest: What was published of it.
    """
    return not any(
        is_shared(path) or _UP_AGAIN.search(target) for path, target in links
    ) and not _has_own_code(directories, manifest)


def _has_own_code(directories: Iterable[str], manifest: bytes) -> bool:
    """Whether something is installed there that is no dependency from an index."""
    known = {
        _normal(entry["name"])
        for entry in json.loads(manifest).get("dependencies", ())
        # Manifests of earlier versions do not tell.
        if entry.get("local") is False
    }
    ending = ".dist-info"
    names = (path[len(FOLDER) + 1 :] for path in directories if path.endswith(ending))
    return any(
        _normal(name[: -len(ending)].rpartition("-")[0]) not in known
        for name in names
        if "/" not in name
    )


def _normal(name: str) -> str:
    """Return the normalised name of a distribution (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


class NewLayer(NamedTuple):
    """A layer that no other release may use yet, and what it holds."""

    name: str
    holds: Shareable


def find_layer(layout: Layout, wanted: Shareable, *, reads: bool) -> Found:
    """Look for a layer that holds what is wanted, and that nobody has touched.

    Args:
        layout: The app's paths.
        wanted: What it should hold.
        reads: Whether the files are read, too.

    Raises:
        OSError: The disk is full, which says nothing of a layer.
    """
    found = Found(None, [])
    for name in _layers(layout):
        seal = _read_seal(layout, name) if name.startswith(wanted.words.digest[:_DIGITS]) else None
        if seal is None or seal.get("digest") != wanted.words.digest:
            continue
        top = os.path.join(layout.layers, name)
        try:
            same = seal.get("seal") == seal_of(top, names_of(wanted.part))
        except OSError as error:
            if from_os_error(error).code == "no-space":
                raise
            same = False
        if same and (not reads or holds(top, wanted.part)):
            return Found(name, found.spoilt)
        found.spoilt.append(name)
    return found


def intact(layout: Layout, name: str) -> bytes:
    """Return the records of what lies in a layer, which it holds as far as the file system says.

    Raises:
        OSError: There is no such layer, or an entry of it is not there.
        ValueError: It was touched since it was sealed, or holds links, which are not told apart.
    """
    with open(_seal(layout, name), "rb") as file:
        seal = json.loads(file.readline())
        kept = file.read()
    if b"\0\nl\0" in kept or not kept.endswith(b"\0\n"):
        raise ValueError("not plain")
    # Nothing else in a record that is no link's can begin so.
    paths = kept.split(b"\0" + BELOW.encode())[1:]
    names = [path[: path.index(b"\0")] for path in paths]
    if seal.get("seal") != seal_of(os.path.join(layout.layers, name), names):
        raise ValueError("touched")
    return kept


def move_in(layout: Layout, wanted: Shareable, tree: str) -> NewLayer | str:
    """Make the dependencies of a finished tree a layer, which it links to from then on.

    Returns:
        The layer, or why there cannot be one; then the tree is as it was.
    """
    prefix = wanted.words.digest[:_DIGITS]
    numbers = [int(name.partition("-")[2]) for name in _layers(layout) if name.startswith(prefix)]
    name = f"{prefix}-{max(numbers, default=0) + 1}"
    top, folder = os.path.join(layout.layers, name), os.path.join(tree, FOLDER)
    try:
        os.makedirs(layout.layers, exist_ok=True)
        os.rename(folder, top)
    except OSError as error:
        # Another file system, or somebody else's folder: a release of its own does not need it.
        return f"dependencies are not shared: {layout.layers}: {error.strerror}"
    os.symlink(link_to(name), folder)
    start = len(FOLDER)
    # Only now, and the top last: to move a folder is to write into it.
    for path in backwards(wanted.part.directories):
        os.chmod(os.fsencode(top) + path[start:].encode(), _READ_ONLY)
    return NewLayer(name, wanted)


def seal(layout: Layout, layer: NewLayer) -> None:
    """See that a layer, which is on the disk, is what the table says, and let it be shared.

    Raises:
        AgentError: `corrupt`: it is something else.
    """
    name, wanted = layer
    top = os.path.join(layout.layers, name)
    sync_folder(layout.layers)
    lasting = clock_moves_on(layout, top)
    document = {"digest": wanted.words.digest, "seal": seal_as_written(top, wanted.part)}
    if not lasting:
        return
    os.makedirs(layout.seals, exist_ok=True)
    head = json.dumps(document).encode() + b"\n"
    write_blocks(_seal(layout, name), chain([head], wanted.words.records.blocks()), layout.staging)


def names_of(part: Table) -> Iterator[bytes]:
    """Yield the paths of what lies in a layer, from there, in the order of its records."""
    return (path.encode()[len(BELOW) :] for path, _ in in_order(part) if path != FOLDER)


def break_seals(layout: Layout, names: list[str]) -> None:
    """Let layers no longer be shared by further releases."""
    for name in names:
        remove(_seal(layout, name))


def remove_unsealed(layout: Layout) -> None:
    """Remove what a prepare that was interrupted has left."""
    unsealed = [name for name in _layers(layout) if not os.path.lexists(_seal(layout, name))]
    if unsealed:
        unused = _unused(layout)
        _remove(layout, [name for name in unsealed if name in unused], uses_of(layout))


def remove_unused(layout: Layout, uses: Uses) -> int:
    """Remove layers that no release links to and no process uses.

    Returns:
        How many bytes of disk that gave back.
    """
    freed = _remove(layout, _unused(layout), uses)
    there = set(_layers(layout))
    for name in _names(layout.seals):
        if name[: -len(_ENDING)] not in there:
            remove(os.path.join(layout.seals, name))
    return freed


def weigh_unused(layout: Layout, without: Collection[str]) -> int:
    """Return how many bytes of disk `remove_unused` would give back without some releases."""
    names = _unused(layout, without)
    return sum(weigh(os.path.join(layout.layers, name)) for name in names)


def _unused(layout: Layout, without: Collection[str] = ()) -> list[str]:
    there = _layers(layout)
    if not there:
        return []
    needed = {name for name, versions in users(layout).items() if set(versions).difference(without)}
    return [name for name in there if name not in needed]


def _remove(layout: Layout, names: list[str], uses: Uses) -> int:
    used = uses.of(layout.layers) if names else {}
    freed = 0
    for name in names:
        if name in used:
            continue
        # First of all: what is half gone is nobody's to share.
        remove(_seal(layout, name))
        top = os.path.join(layout.layers, name)
        try:
            for folder in folders_of(top):
                # Nothing can be taken out of a folder that is read-only, except by root.
                os.chmod(folder, _OPEN)
        except PermissionError:
            # Another user's, whose agent will remove it.
            continue
        freed += delete(top)
    return freed


def _layers(layout: Layout) -> list[str]:
    return [name for name in _names(layout.layers) if is_layer(name)]


def _seal(layout: Layout, name: str) -> str:
    return os.path.join(layout.seals, name + _ENDING)


def _read_seal(layout: Layout, name: str) -> dict[str, Any] | None:
    """Return what is proven of a layer; None for nothing."""
    try:
        with open(_seal(layout, name), "rb") as file:
            document = json.loads(file.readline())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
