"""Bring a version's configuration into use, right before its flip."""

from __future__ import annotations

import hashlib

from .errors import AgentError
from .outside import bring_about, is_kept
from .placed import Placed
from .rendered import file_of, in_use, read_set, use
from .rights import number_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .layout import Layout
    from .rendered import Rendered


def switch(layout: Layout, version: str | None, name: str | None) -> list[str]:
    """Make the files outside the release, and those that it links to, those of a set.

    Args:
        layout: The app's paths.
        version: What is about to be served, or None.
        name: The version's set; None for a version without configuration.

    Returns:
        Notes for people.

    Raises:
        AgentError: `missing`, `corrupt`: the set is not here, or was changed. `invalid`.
        OSError: A file could not be written.
    """
    wanted: dict[str, Placed] = {}
    if version is not None and name is not None:
        for file in read_set(layout, version, name):
            if file.outside:
                data = _read(file_of(layout, version, name, file), file)
                wanted[file.path] = placed(file, data)
    notes = bring_about(layout, wanted) if wanted or is_kept(layout) else []
    if version is not None and in_use(layout, version) != name:
        use(layout, version, name)
    return notes


def placed(file: Rendered, data: bytes) -> Placed:
    """Return a file as it is to be written on this host; raises as `number_of`."""
    return Placed(data, file.mode, number_of(file.owner, "user"), number_of(file.group, "group"))


def _read(path: str, file: Rendered) -> bytes:
    try:
        with open(path, "rb") as content:
            data = content.read()
    except FileNotFoundError:
        data = b""
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise AgentError(
            "corrupt",
            f"what was rendered for {file.path} is not what it was: {path}",
            "Release the version again, which renders it anew.",
        )
    return data
