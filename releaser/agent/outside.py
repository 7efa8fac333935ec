"""Configuration files outside the release: put there, taken away, and what was there before.

`installed.json` says of each file what Castoff has put there. Before anything is changed it says
what is about to be, too, so that whoever comes after a crash can tell the one and the other from
what somebody has edited. What stood there before Castoff first wrote is kept, and comes back when a
version is activated that has no such file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat

from .durable import sync_folder
from .errors import AgentError, not_readable, user_name
from .named_tuple import NamedTuple
from .placed import Placed, has_rights, place, remove
from .salt import private_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .layout import Layout

_PRIVATE = 0o700
_NAME = 16
_ABSENT = "absent"


class Present(NamedTuple):
    """What stands at a path.

    Attributes:
        mark: Tells one content from another: `absent`, `link:TARGET` or `file:SHA256`.
        data: Content of a file.
        mode: Permission bits.
        status: What the file system says of it; None if nothing is there now.
    """

    mark: str
    data: bytes = b""
    mode: int = 0
    status: os.stat_result | None = None


def look(path: str) -> Present:
    """Return what stands at a path, which is not followed if it is a link.

    Raises:
        AgentError: `invalid`: neither a file nor a link. `permission`: this user may not read it.
    """
    try:
        return _seen(path)
    except PermissionError as error:
        raise AgentError(
            "permission",
            f"cannot read {path} as user {user_name()}",
            "Set `sudo = true` for the host or the environment.",
        ) from error


def _seen(path: str) -> Present:
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return Present(_ABSENT)
    if stat.S_ISLNK(status.st_mode):
        return Present(f"link:{os.readlink(path)}", status=status)
    if not stat.S_ISREG(status.st_mode):
        raise AgentError("invalid", f"{path} is not a file, so no configuration can be put there")
    with open(path, "rb") as file:
        data = file.read()
    return Present(mark_of(data), data, stat.S_IMODE(status.st_mode), status)


def mark_of(data: bytes) -> str:
    """Return the mark of a file with this content."""
    return f"file:{hashlib.sha256(data).hexdigest()}"


def is_kept(layout: Layout) -> bool:
    """Whether Castoff has ever put a file outside the release here."""
    return os.path.lexists(_installed(layout))


def installed(layout: Layout) -> dict[str, dict[str, Any]]:
    """Return the entry of each file that Castoff has put somewhere, by path.

    Raises:
        AgentError: `corrupt`: the record is not what Castoff writes. `permission`: it belongs to
            another user.
    """
    try:
        with open(_installed(layout), "rb") as file:
            entries: dict[str, dict[str, Any]] = json.loads(file.read())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except PermissionError as error:
        raise not_readable(_installed(layout)) from error
    except ValueError as error:
        raise AgentError(
            "corrupt", f"not a record that Castoff wrote: {_installed(layout)}"
        ) from error
    return entries


def edited(layout: Layout) -> list[str]:
    """Return the paths of files that somebody has changed since Castoff put them there."""
    return [
        path for path, entry in sorted(installed(layout).items()) if is_edited(look(path), entry)
    ]


def is_edited(present: Present, entry: dict[str, Any]) -> bool:
    """Whether what stands at a path is neither what was put there nor what was to be."""
    return present.mark != entry["mark"] and present.mark not in entry["or"]


def bring_about(layout: Layout, wanted: dict[str, Placed]) -> list[str]:
    """Make the files outside the release exactly these; return notes for people.

    Can be killed at any point: whoever calls it then, with whichever files, sets all right.

    Raises:
        AgentError: `invalid`: something that is no file stands in the way, or a folder is missing.
        OSError: A file could not be written; those before it are, and the record says so.
    """
    entries = installed(layout)
    paths = sorted({*wanted, *entries})
    present = {path: look(path) for path in paths}
    if all(
        path in wanted
        and path in entries
        and _is(present[path], wanted[path])
        and entries[path] == _entry(wanted[path])
        for path in paths
    ):
        return []
    _make_private(layout)
    notes: list[str] = []
    begun = {}
    for path in paths:
        entry, there = entries.get(path), present[path]
        if entry is None:
            _keep_original(layout, path, there)
            entry = {"mark": there.mark, "or": []}
        elif is_edited(there, entry) and not (path in wanted and _is(there, wanted[path])):
            notes += _keep_edited(layout, path, there)
        mark = mark_of(wanted[path].data) if path in wanted else _original_mark(layout, path)
        known = {entry["mark"], *entry["or"], there.mark} - {mark}
        begun[path] = {"mark": mark, "or": sorted(known)}
    _save(layout, begun)
    for path in paths:
        remove(_temporary(path))
        if path not in wanted:
            _give_back(layout, path, present[path])
        elif not _is(present[path], wanted[path]):
            _make_folder(path)
            place(path, wanted[path], _temporary(path))
    _save(layout, {path: _entry(file) for path, file in wanted.items()})
    for path in set(paths) - set(wanted):
        remove(_original_path(layout, path))
    return notes


def original(layout: Layout, path: str) -> Present:
    """Return what stood at a path before Castoff first wrote there, for a path of the record."""
    kept = _read_original(layout, path)
    data = base64.b64decode(kept["data"]) if "data" in kept else b""
    return Present(str(kept["mark"]), data, int(kept.get("mode", 0)))


def require_place(path: str, user: str) -> None:
    """See that a file can be put at a path.

    Raises:
        AgentError: `permission`: this user may not write there. `invalid`: the folder is missing.
    """
    folder = os.path.dirname(path)
    above = os.path.dirname(folder)
    if not os.path.isdir(folder):
        if not os.path.isdir(above):
            raise AgentError(
                "invalid",
                f"there is no folder {above}, so {path} cannot be written",
                "Install what reads that file, or mend `path` in [[environments.*.config]].",
            )
        folder = above
    if not os.access(folder, os.W_OK | os.X_OK):
        raise AgentError(
            "permission",
            f"cannot write {path} as user {user}: {folder} is not {user}'s to change",
            "Files outside the release mostly need root: set `sudo = true` for the host or the "
            f"environment; or give {folder} to {user}.",
        )
    status = look(path).status
    if status is not None and os.geteuid() not in (0, status.st_uid):
        raise AgentError(
            "permission",
            f"{path} belongs to somebody else than {user}, who could not give it back",
            "Set `sudo = true` for the host or the environment.",
        )


def _is(present: Present, wanted: Placed) -> bool:
    return (
        present.mark == mark_of(wanted.data)
        and present.status is not None
        and has_rights(present.status, wanted)
    )


def _entry(wanted: Placed) -> dict[str, Any]:
    return {"mark": mark_of(wanted.data), "or": []}


def _keep_original(layout: Layout, path: str, present: Present) -> None:
    kept: dict[str, Any] = {"path": path, "mark": present.mark}
    status = present.status
    if status is not None:
        kept.update(mode=stat.S_IMODE(status.st_mode), owner=status.st_uid, group=status.st_gid)
    if present.mark.startswith("file:"):
        kept["data"] = base64.b64encode(present.data).decode()
    _write_private(layout, _original_path(layout, path), json.dumps(kept).encode())


def _keep_edited(layout: Layout, path: str, present: Present) -> list[str]:
    """Keep a copy of what somebody has edited, named by its content, so that once is enough."""
    if not present.mark.startswith("file:"):
        what = "was removed" if present.mark == _ABSENT else "was made a link"
        return [f"{path} {what} since Castoff put it there"]
    # The name is told to people, and so goes further than this folder.
    name = f"{os.path.basename(path)}.{private_name(layout, present.data)}"
    copy = os.path.join(layout.outside, "edited", name)
    _write_private(layout, copy, present.data)
    return [f"{path} was edited since Castoff put it there; what it said is kept in {copy}"]


def _give_back(layout: Layout, path: str, present: Present) -> None:
    kept = _read_original(layout, path)
    mark = str(kept["mark"])
    if mark == _ABSENT:
        if present.mark != _ABSENT:
            remove(path)
            sync_folder(os.path.dirname(path))
        return
    if mark.startswith("link:"):
        if present.mark != mark:
            os.symlink(mark.partition(":")[2], _temporary(path))
            os.rename(_temporary(path), path)
            sync_folder(os.path.dirname(path))
        return
    before = Placed(base64.b64decode(kept["data"]), kept["mode"], kept["owner"], kept["group"])
    if not _is(present, before):
        _make_folder(path)
        place(path, before, _temporary(path))


def _original_mark(layout: Layout, path: str) -> str:
    return str(_read_original(layout, path)["mark"])


def _read_original(layout: Layout, path: str) -> dict[str, Any]:
    kept = _original_path(layout, path)
    try:
        with open(kept, "rb") as file:
            values: dict[str, Any] = json.loads(file.read())
    except PermissionError as error:
        raise not_readable(kept) from error
    except (FileNotFoundError, ValueError) as error:
        raise AgentError(
            "corrupt",
            f"what {path} was before Castoff wrote it is not in {kept}",
            f"Put {path} right by hand, then take its entry out of {_installed(layout)}.",
        ) from error
    return values


def _make_folder(path: str) -> None:
    """Make the folder of a file, if no more than that is missing."""
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        os.mkdir(folder, 0o755)
        sync_folder(os.path.dirname(folder))


def _make_private(layout: Layout) -> None:
    for folder in (
        layout.outside,
        os.path.join(layout.outside, "originals"),
        os.path.join(layout.outside, "edited"),
    ):
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, _PRIVATE)
    sync_folder(layout.outside)
    sync_folder(layout.meta)


def _save(layout: Layout, entries: dict[str, dict[str, Any]]) -> None:
    _write_private(layout, _installed(layout), json.dumps(entries, sort_keys=True).encode())


def _write_private(layout: Layout, path: str, data: bytes) -> None:
    place(path, Placed(data, 0o600, None, None), os.path.join(layout.staging, "outside"))


def _installed(layout: Layout) -> str:
    return os.path.join(layout.outside, "installed.json")


def _original_path(layout: Layout, path: str) -> str:
    name = hashlib.sha256(path.encode()).hexdigest()[:_NAME]
    return os.path.join(layout.outside, "originals", f"{name}.json")


def _temporary(path: str) -> str:
    """Return a name beside a file that no program takes for one of its own: hidden, and odd.

    The same each time, so that what a crash has left there is found again.
    """
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.castoff")
