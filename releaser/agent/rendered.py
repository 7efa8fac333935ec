"""Sets of rendered configuration files: each version has some, and a link names the one in use.

A set is never changed once it is whole, and its name hangs on what it holds, so that the same
version can be released with other values, and go back to those it had.
"""

from __future__ import annotations

import hashlib
import json
import os

from .durable import replace_link, sync_folder
from .errors import AgentError, not_readable
from .named_tuple import NamedTuple
from .placed import Placed, has_rights, place
from .rights import number_of
from .salt import private_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

    from .layout import Layout

_DOCUMENT = "set.json"
_LINK = "now"
_NAME = 16


class Rendered(NamedTuple):
    """One file of a set.

    Attributes:
        path: Where it belongs: absolute, or in the release.
        sha256: Of its content.
        mode: Permission bits.
        owner: Name of the user it belongs to; None for the one who releases.
        group: Name of the group, in the same way.
        shown: Its text without secrets, for people; None if it is not to be shown.
    """

    path: str
    sha256: str
    mode: int
    owner: str | None
    group: str | None
    shown: str | None

    @property
    def outside(self) -> bool:
        """Whether it belongs outside the release."""
        return self.path.startswith("/")


def name_of(layout: Layout, files: list[Rendered]) -> str:
    """Return the name of the set of these files."""
    rows = sorted([f.path, f.sha256, f.mode, f.owner, f.group] for f in files)
    return private_name(layout, json.dumps(rows).encode())


def write_set(layout: Layout, version: str, files: list[tuple[Rendered, Placed]]) -> str:
    """Have a set on the disk, whole; return its name. Nothing uses it yet.

    What somebody has changed of a set that is there is set right.
    """
    name = name_of(layout, [file for file, _ in files])
    folder = _folder(layout, version, name)
    places = [file_of(layout, version, name, file) for file, _ in files]
    # Not ours alone: the app reaches its own files through the folders above them.
    for needed in (folder, *(os.path.dirname(path) for path in places)):
        os.makedirs(needed, exist_ok=True)
    os.makedirs(os.path.join(folder, "outside"), exist_ok=True)
    os.chmod(os.path.join(folder, "outside"), 0o700)
    for path, (_, wanted) in zip(places, files):
        if not is_as(path, wanted):
            place(path, wanted, os.path.join(layout.staging, "rendered"))
    for below, _, _ in os.walk(folder):
        sync_folder(below)
    document = json.dumps([file._asdict() for file, _ in files], sort_keys=True).encode()
    whole = Placed(document, 0o600, None, None)
    if not is_as(os.path.join(folder, _DOCUMENT), whole):
        place(os.path.join(folder, _DOCUMENT), whole, os.path.join(layout.staging, "rendered"))
    for above in (os.path.join(layout.config, version), layout.config, layout.meta):
        sync_folder(above)
    return name


def read_set(layout: Layout, version: str, name: str) -> list[Rendered]:
    """Return the files of a set.

    Raises:
        AgentError: `missing`: it is not here whole. `corrupt`: its document is damaged.
            `permission`: it belongs to another user.
    """
    path = os.path.join(_folder(layout, version, name), _DOCUMENT)
    try:
        with open(path, "rb") as file:
            return [Rendered(**entry) for entry in json.loads(file.read())]
    except (FileNotFoundError, NotADirectoryError):
        raise AgentError(
            "missing",
            f"the configuration of {version} is not on this host",
            "Prepare the release there first.",
        ) from None
    except PermissionError as error:
        raise not_readable(path) from error
    except (TypeError, ValueError) as error:
        raise AgentError("corrupt", f"not a document that Castoff wrote: {path}") from error


def file_of(layout: Layout, version: str, name: str, file: Rendered) -> str:
    """Return where a file of a set lies."""
    folder = _folder(layout, version, name)
    if file.outside:
        place = hashlib.sha256(file.path.encode()).hexdigest()[:_NAME]
        return os.path.join(folder, "outside", place)
    return os.path.join(folder, "inside", file.path)


def link_target(version: str, path: str) -> str:
    """Return what a link at `path` in a release leads to, from the app's root."""
    return f".castoff/config/{version}/{_LINK}/inside/{path}"


def in_use(layout: Layout, version: str | None) -> str | None:
    """Return the name of the set that a version uses, or None."""
    if version is None:
        return None
    try:
        return os.readlink(os.path.join(layout.config, version, _LINK))
    except (FileNotFoundError, NotADirectoryError):
        return None


def use(layout: Layout, version: str, name: str | None) -> None:
    """Let a version use a set, at one stroke; None for none."""
    folder = os.path.join(layout.config, version)
    if name is None:
        os.unlink(os.path.join(folder, _LINK))
    else:
        replace_link(name, os.path.join(folder, _LINK), layout.staging)
    sync_folder(folder)


def forget_others(layout: Layout, version: str, needed: Container[str | None]) -> None:
    """Delete a version's sets that nobody goes back to."""
    from .trash import delete

    folder = os.path.join(layout.config, version)
    for name in os.listdir(folder):
        if name != _LINK and name not in needed:
            delete(os.path.join(folder, name))


def differing(layout: Layout, version: str, *, served: bool) -> tuple[list[str], list[str]]:
    """Return the paths of the set in use that are not as rendered, and those that are missing.

    Content, kind and rights are compared; whose a file is, where castoff.toml says it.

    Args:
        layout: The app's paths.
        version: Whose set.
        served: Whether the files outside the release are those of this version: then the rights of
            these count too, and what they say is another's to compare.

    Raises:
        AgentError: As `read_set`.
    """
    name = in_use(layout, version)
    changed: list[str] = []
    missing: list[str] = []
    for file in [] if name is None else read_set(layout, version, name):
        path = file_of(layout, version, str(name), file)
        try:
            same = not os.path.islink(path) and _is_as_rendered(path, file)
            if same and file.outside and served:
                same = _has_its_rights(os.lstat(file.path), file)
            if not same:
                changed.append(file.path)
        except (FileNotFoundError, NotADirectoryError):
            missing.append(file.path)
        except PermissionError:
            # What this user may not read belongs to the app's.
            continue
    return changed, missing


def _is_as_rendered(path: str, file: Rendered) -> bool:
    with open(path, "rb") as content:
        same = hashlib.sha256(content.read()).hexdigest() == file.sha256
        return same and _has_its_rights(os.fstat(content.fileno()), file)


def _has_its_rights(status: os.stat_result, file: Rendered) -> bool:
    try:
        owner, group = number_of(file.owner, "user"), number_of(file.group, "group")
    except AgentError:
        # Nobody has that name any more, so the file cannot be theirs.
        return False
    return has_rights(status, Placed(b"", file.mode, owner, group))


def is_as(path: str, wanted: Placed) -> bool:
    """Whether a regular file stands at a path, with this content and these rights."""
    try:
        if os.path.islink(path):
            return False
        with open(path, "rb") as file:
            return file.read() == wanted.data and has_rights(os.fstat(file.fileno()), wanted)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError):
        return False


def _folder(layout: Layout, version: str, name: str) -> str:
    return os.path.join(layout.config, version, name)
