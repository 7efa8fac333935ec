"""Paths of a release that are links into `shared/`, which outlives releases."""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from .errors import AgentError
from .layout import Layout
from .paths import check_path, parent
from .table import Table
from .writer import TreeWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class SharedLinks(NamedTuple):
    """The shared paths of one release.

    Attributes:
        links: Target of each link by its path in the release; relative, so that the app's root
            can be moved.
        directories: Folders that the release lacks and its links need, parents first.
        kept: Those of the links that stand for a directory, which is made when missing.
    """

    links: dict[str, str]
    directories: list[str]
    kept: list[str]

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
        return cls(dict(values["links"]), list(values["directories"]), list(values["kept"]))


def plan_links(table: Table, shared: list[str]) -> SharedLinks:
    """Work out which links a release needs.

    Args:
        table: The release's tree.
        shared: The configured paths; those that end in a slash are directories.

    Raises:
        AgentError: `invalid`: a path leaves the release, or something of it stands there.
    """
    occupied = {file.path for file in table.files} | {link.path for link in table.links}
    folders = set(table.directories)
    filled = {parent(path) for path in folders | occupied}
    plan = SharedLinks({}, [], [])
    for configured in sorted(set(shared)):
        path = check_path(configured[:-1] if configured.endswith("/") else configured)
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
        plan.links[path] = "../" * (path.count("/") + 2) + "shared/" + path
        if configured.endswith("/"):
            plan.kept.append(path)
    return plan


def make_links(plan: SharedLinks, table: Table, writer: TreeWriter) -> None:
    """Create the links in a release that is being written."""
    for path in plan.directories:
        writer.directory(path)
    empty = set(table.directories)
    for path, target in plan.links.items():
        if path in empty:
            writer.remove_directory(path)
        writer.link(path, target)


def provide(layout: Layout, plan: SharedLinks) -> list[str]:
    """Make the shared directories that are missing; return a note for each missing file.

    Files are never made nor changed: what is in them only the host's keeper knows.

    Raises:
        AgentError: `invalid`: a file stands where a directory should be.
    """
    notes = []
    for path in plan.links:
        place = os.path.join(layout.shared, path)
        folder = place if path in plan.kept else os.path.dirname(place)
        try:
            os.makedirs(folder, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise AgentError("invalid", f"shared/{path} cannot be a directory here") from error
        if not os.path.exists(place):
            notes.append(f"shared/{path} does not exist on this host; the release links to it")
    return notes


def _above(path: str) -> Iterator[str]:
    parts = path.split("/")
    for count in range(1, len(parts)):
        yield "/".join(parts[:count])


def _taken(path: str, why: str) -> AgentError:
    return AgentError(
        "invalid",
        f"{path!r} cannot be a shared path: {why}",
        "Change `shared` in castoff.toml, or leave that path out of the build.",
    )
