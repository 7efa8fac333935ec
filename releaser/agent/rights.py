"""Whose the shared and writable paths of an app are, and what others may do with them."""

from __future__ import annotations

import os
import stat

from .errors import AgentError, user_name
from .layout import Layout
from .named_tuple import NamedTuple
from .paths import check_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parameters import Parameters

_OCTAL = 8
_PERMISSIONS = 0o7777
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ENTRY = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


class Right(NamedTuple):
    """What is wanted of one path; None leaves a thing as it is.

    Attributes:
        path: In `shared/`, or among the release's writable folders.
        writable: Which of these.
        folder: Whether it is a folder, which is made when missing.
        mode: Permission bits.
        owner: Number of the user.
        group: Number of the group.
    """

    path: str
    writable: bool
    folder: bool
    mode: int | None
    owner: int | None
    group: int | None


def parse_rights(items: list[Parameters]) -> list[Right]:
    """Read what a request wants.

    Raises:
        AgentError: `permission`: the host lacks a user or group. `invalid`: it does not fit.
    """
    return [
        Right(
            path=check_path(item.text("path")),
            writable=item.flag("writable"),
            folder=item.flag("folder"),
            mode=mode_of(item.text_or_none("mode")),
            owner=number_of(item.text_or_none("owner"), "user"),
            group=number_of(item.text_or_none("group"), "group"),
        )
        for item in items
    ]


def require_rights(layout: Layout, rights: list[Right]) -> None:
    """Find out before a release whether its folders could be given to whom they are meant for.

    Raises:
        AgentError: `permission`: this user may not; the hint is the command that mends it.
    """
    for right in rights:
        place = os.path.join(layout.shared, right.path)
        if may_give(right.owner, right.group) or not right.folder:
            continue
        if right.writable:
            raise AgentError(
                "permission",
                f"the writable path {right.path} cannot be given to {_names(right)} by "
                f"user {user_name()}",
                "Let the agent become root or that user with `sudo`, or leave `owner` and `group` "
                "out and let the app run as this user.",
            )
        if not os.path.lexists(place):
            raise AgentError(
                "permission",
                f"{place} cannot be made for {_names(right)} by user {user_name()}",
                f"On the host: sudo {_command(right, place)}",
            )


def give(path: str, right: Right | None) -> None:
    """Give a folder that was just made to whom it is meant for.

    Raises:
        OSError: This user may not.
    """
    if right is None:
        return
    descriptor = os.open(path, _FOLDER)
    try:
        _change(descriptor, os.fstat(descriptor), right)
    finally:
        os.close(descriptor)


def mend(top: str, name: str, right: Right) -> list[str]:
    """Set right what differs of a path that was there before; return notes for people.

    What is wrong and may not be changed, or is a link of somebody else's, is told and left alone.

    Args:
        top: The folder that the path is in.
        name: What people call the path.
        right: What is wanted of it.
    """
    place = os.path.join(top, right.path)
    try:
        descriptor = _open(top, right.path)
    except FileNotFoundError:
        return []
    except OSError:
        status = os.stat(place)
        if not _differs(status, right):
            return []
        return [f"{name} {_told(status, right)}; it is not changed (a link, or not ours to open)"]
    try:
        status = os.fstat(descriptor)
        if not _differs(status, right):
            return []
        told = _told(status, right)
        try:
            _change(descriptor, status, right)
        except PermissionError:
            return [f"{name} {told}; on the host: sudo {_fix(right, place)}"]
        return [f"{name} {told} before; that was set right"]
    finally:
        os.close(descriptor)


def _open(top: str, path: str) -> int:
    """Open a path below `top` without following a link: whoever owns a part may have put one."""
    *folders, name = path.split("/")
    descriptor = os.open(top, _FOLDER)
    try:
        for folder in folders:
            inner = os.open(folder, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        return os.open(name, _ENTRY, dir_fd=descriptor)
    finally:
        os.close(descriptor)


def _change(descriptor: int, status: os.stat_result, right: Right) -> None:
    owner = -1 if right.owner in (None, status.st_uid) else right.owner
    group = -1 if right.group in (None, status.st_gid) else right.group
    if owner != -1 or group != -1:
        os.fchown(descriptor, owner, group)
    # After that: a change of owner takes the bits away that let a program run as another.
    mode = stat.S_IMODE(status.st_mode) if right.mode is None else right.mode
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:
        os.fchmod(descriptor, mode)


def _differs(status: os.stat_result, right: Right) -> bool:
    return (
        right.mode not in (None, stat.S_IMODE(status.st_mode))
        or right.owner not in (None, status.st_uid)
        or right.group not in (None, status.st_gid)
    )


def may_give(owner: int | None, group: int | None) -> bool:
    """Whether this user may give a file of its own to a user and a group, by their numbers."""
    me = os.geteuid()
    if me == 0:
        return True
    groups = {os.getegid(), *os.getgroups()}
    return owner in (None, me) and (group is None or group in groups)


def _told(status: os.stat_result, right: Right) -> str:
    has = []
    if right.mode not in (None, stat.S_IMODE(status.st_mode)):
        has.append(f"had mode {stat.S_IMODE(status.st_mode):04o}, not {right.mode:04o}")
    if right.owner not in (None, status.st_uid):
        has.append(f"belonged to {_user(status.st_uid)}, not {_user(right.owner)}")
    if right.group not in (None, status.st_gid):
        has.append(f"was of group {_group(status.st_gid)}, not {_group(right.group)}")
    return " and ".join(has)


def _names(right: Right) -> str:
    user = None if right.owner is None else f"user {_user(right.owner)}"
    group = None if right.group is None else f"group {_group(right.group)}"
    return " and ".join(part for part in (user, group) if part)


def _command(right: Right, place: str) -> str:
    mode = f" -m {right.mode:04o}" if right.mode is not None else ""
    owner = f" -o {_user(right.owner)}" if right.owner is not None else ""
    group = f" -g {_group(right.group)}" if right.group is not None else ""
    return f"install -d{mode}{owner}{group} {place}"


def _fix(right: Right, place: str) -> str:
    user = "" if right.owner is None else _user(right.owner)
    group = "" if right.group is None else f":{_group(right.group)}"
    parts = [f"chown {user}{group} {place}"] if user or group else []
    parts += [f"chmod {right.mode:04o} {place}"] if right.mode is not None else []
    return " && sudo ".join(parts)


def mode_of(text: str | None) -> int | None:
    """Return permission bits from octal digits.

    Raises:
        AgentError: `invalid`: they are not that.
    """
    if text is None:
        return None
    try:
        mode = int(text, _OCTAL)
    except ValueError:
        mode = -1
    if not 0 <= mode <= _PERMISSIONS:
        raise AgentError("invalid", f"not a mode: {text!r}")
    return mode


def number_of(name: str | None, kind: str) -> int | None:
    """Return the number of a `user` or `group` of this host.

    Raises:
        AgentError: `permission`: there is none of that name.
    """
    import grp
    import pwd

    if name is None:
        return None
    try:
        return pwd.getpwnam(name).pw_uid if kind == "user" else grp.getgrnam(name).gr_gid
    except KeyError:
        add = "useradd" if kind == "user" else "groupadd"
        raise AgentError(
            "permission",
            f"this host has no {kind} {name!r}, to whom a path of the app is to belong",
            f"On the host: sudo {add} --system {name}; or mend `shared`, `writable` or "
            "`[[environments.*.config]]` in castoff.toml.",
        ) from None


def _user(number: Any) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: Any) -> str:
    import grp

    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
