"""Paths of a release that are links: into `shared/`, or to what this release alone has."""

from __future__ import annotations

import json
import os
from itertools import chain

from .errors import AgentError
from .layout import Layout
from .named_tuple import NamedTuple
from .paths import check_path, parent
from .rendered import link_target
from .rights import Right, give, mend
from .table import Table
from .writer import TreeWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


class SharedLinks(NamedTuple):
    """The shared paths of one release.

    Attributes:
        links: Target of each link by its path in the release; relative, so that the app's root
            can be moved.
        directories: Folders that the release lacks and its links need, parents first.
        kept: Those of the links that stand for a directory, which is made when missing.
        writable: Those of the links that lead to the release's own writable directories.
        configured: Those of the links that lead to the release's own rendered files.
    """

    links: dict[str, str]
    directories: list[str]
    kept: list[str]
    writable: list[str]
    configured: list[str]

    def to_bytes(self) -> bytes:
        """Return the record that is kept beside the release."""
        return json.dumps(self._asdict(), sort_keys=True).encode() + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes) -> SharedLinks:
        """Read a record.

        Raises:
            KeyError: A part is missing.
            ValueError: It is no record.
        """
        values = json.loads(data)
        # Releases that were prepared before there were these paths have none on record.
        writable, configured = list(values.get("writable", [])), list(values.get("configured", []))
        return cls(
            dict(values["links"]),
            list(values["directories"]),
            list(values["kept"]),
            writable,
            configured,
        )


def plan_links(
    table: Table,
    shared: list[str],
    writable: list[str],
    version: str,
    configured: Collection[str] = (),
) -> SharedLinks:
    """Work out which links a release needs.

    Args:
        table: The release's tree.
        shared: The configured paths; those that end in a slash are directories.
        writable: The same of directories that the release alone has.
        version: The release's version.
        configured: Paths of the files that are rendered for it.

    Raises:
        AgentError: `invalid`: a path leaves the release, or something of it stands there.
    """
    own = {path.rstrip("/") for path in writable}
    # A release has many paths, and these are few.
    wanted = {
        given: check_path(given[:-1] if given.endswith("/") else given)
        for given in sorted({*shared, *own, *configured})
    }
    near = {*wanted.values(), *chain.from_iterable(map(_above, wanted.values()))}
    folders = near.intersection(table.directories)
    occupied = near.intersection(_all_paths(table)) - folders if near else set()
    filled = near.intersection(map(parent, _all_paths(table))) if near else set()
    plan = SharedLinks({}, [], [], [], [])
    for given, path in wanted.items():
        if path in occupied or path in filled:
            raise _taken(path, "the release itself has something there")
        if path in plan.links or path in plan.directories:
            raise _taken(path, "another shared path is there, or below it")
        for above in _above(path):
            if above in occupied:
                raise _taken(path, f"{above!r} is not a directory in the release")
            if above in plan.links:
                raise _taken(path, f"{above!r} is shared already")
            if above not in folders:
                folders.add(above)
                plan.directories.append(above)
        up = "../" * (path.count("/") + 2)
        if path in own:
            plan.links[path] = f"{up}.castoff/writable/{version}/{path}"
            plan.writable.append(path)
        elif path in configured:
            plan.links[path] = up + link_target(version, path)
            plan.configured.append(path)
        else:
            plan.links[path] = f"{up}shared/{path}"
            plan.kept.extend([path] if given.endswith("/") else [])
    return plan


def _all_paths(table: Table) -> Iterator[str]:
    return chain(table.directories, table.files.paths, table.links.paths)


def make_links(plan: SharedLinks, table: Table, writer: TreeWriter) -> None:
    """Create the links in a release that is being written."""
    for path in plan.directories:
        writer.directory(path)
    empty = set(plan.links).intersection(table.directories)
    for path, target in plan.links.items():
        if path in empty:
            writer.remove_directory(path)
        writer.link(path, target)


def provide(layout: Layout, plan: SharedLinks, version: str, rights: list[Right]) -> list[str]:
    """Make the directories that the links of a release lead to and that are missing.

    Shared files are never made nor changed: what is in them only the host's keeper knows.

    Returns:
        Notes for people: of each missing file, and of what belonged to somebody else.

    Raises:
        AgentError: `invalid`: a file stands where a directory should be.
        OSError: A directory cannot be made, or not be given to whom it is meant for.
    """
    notes = []
    of_path = {right.path: right for right in rights}
    own = os.path.join(layout.writable, version)
    for path in plan.writable:
        right = of_path.get(path)
        if not _make(os.path.join(own, path), right) and right is not None:
            notes += mend(own, f"{path} of {version}", right)
    for path in plan.links:
        if path in plan.writable or path in plan.configured:
            continue
        place, right = os.path.join(layout.shared, path), of_path.get(path)
        folder = place if path in plan.kept else os.path.dirname(place)
        try:
            made = _make(folder, right if folder == place else None)
        except (FileExistsError, NotADirectoryError) as error:
            raise AgentError("invalid", f"shared/{path} cannot be a directory here") from error
        if not os.path.exists(place):
            notes.append(f"shared/{path} does not exist on this host; the release links to it")
        elif right is not None and not made:
            notes += mend(layout.shared, f"shared/{path}", right)
    return notes


def _make(folder: str, right: Right | None) -> bool:
    """Make a directory with all above it; return whether it was not there."""
    if os.path.isdir(folder):
        return False
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    try:
        os.mkdir(folder)
        give(folder, right)
    except PermissionError:
        # One that belongs to the wrong user would be taken for right the next time.
        if os.path.isdir(folder):
            os.rmdir(folder)
        raise
    return True


def _above(path: str) -> Iterator[str]:
    parts = path.split("/")
    for count in range(1, len(parts)):
        yield "/".join(parts[:count])


def _taken(path: str, why: str) -> AgentError:
    return AgentError(
        "invalid",
        f"{path!r} cannot be a shared path: {why}",
        "Change it in castoff.toml, or leave that path out of the build.",
    )
