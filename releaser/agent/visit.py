"""The app on this host that the present controller works with, and how it was opened."""

from __future__ import annotations

import os
import sys

from .errors import AgentError, from_os_error, user_name
from .interpreter import choose
from .layout import Layout
from .lock import HostLock
from .own_code import keep
from .rights import may_give, number_of, parse_rights, require_rights
from .scratch import use
from .space import free, require_bytes
from .state import State, report
from .target import Target, check_platform, glibc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parameters import Parameters


class Visit:
    """What `open` established; every other operation needs it.

    Attributes:
        layout: The app's paths.
        locked: Whether the host's lock is held, so that changes are allowed.
        fenced: Whether the token was noted, or did not have to be; else only room may be made.
    """

    def __init__(self, layout: Layout, lock: HostLock | None, *, fenced: bool = True) -> None:
        self.layout = layout
        self.fenced = fenced
        self._lock = lock

    @property
    def locked(self) -> bool:
        """Whether the host's lock is held."""
        return self._lock is not None

    def end(self) -> None:
        """Let go of the host's lock."""
        if self._lock is not None:
            self._lock.release()


def open_visit(parameters: Parameters) -> tuple[Visit, dict[str, Any]]:
    """Check that the host can take the release, take its lock if asked, and say how it stands.

    A reader (`lock` false) creates nothing on the host.

    Raises:
        AgentError: `platform`, `python`, `no-space`, `permission`, `busy`, `stale`, `invalid`.
    """
    layout = Layout(parameters.text("root"))
    interpreter = _fitting(parameters)
    use(layout.staging)
    require_bytes(layout.root, parameters.whole("need", 0))
    rights = parse_rights(parameters.each_or_none("rights"))
    visit = _locked(layout, parameters) if parameters.flag("lock") else Visit(layout, None)
    try:
        require_rights(layout, rights)
        _require_files(parameters.each_or_none("files"))
        return visit, {"facts": _facts(layout, interpreter), "state": report(layout)}
    except BaseException:
        visit.end()
        raise


def _require_files(items: list[Parameters]) -> None:
    """Find out before a release whether its configuration files could be put where they belong.

    Raises:
        AgentError: `permission`: this user may not. `invalid`: there is no folder for one.
    """
    if not items:
        return
    from .outside import require_place

    for item in items:
        path = item.text("path")
        owner = number_of(item.text_or_none("owner"), "user")
        group = number_of(item.text_or_none("group"), "group")
        if not may_give(owner, group):
            raise AgentError(
                "permission",
                f"{path} cannot be given to {item.text_or_none('owner') or ''}"
                f":{item.text_or_none('group') or ''} by user {user_name()}",
                "Let the agent become root with `sudo`, or leave `owner` and `group` out.",
            )
        if path.startswith("/"):
            require_place(path, user_name())


def _fitting(parameters: Parameters) -> str | None:
    wanted = parameters.within("target")
    if wanted is None:
        return None
    target = Target(wanted)
    check_platform(target)
    return choose(target, parameters.text_or_none("python"))


def _locked(layout: Layout, parameters: Parameters) -> Visit:
    token = parameters.whole("token")
    layout.make()
    owner, claim = parameters.text("owner"), parameters.text_or_none("claim")
    lock = HostLock(layout.lock, owner, token=token, claim=claim)
    try:
        fenced = _fence(layout, token, even_if_full=parameters.flag("even_if_full"))
    except BaseException:
        lock.release()
        raise
    if fenced:
        keep(layout)
    return Visit(layout, lock, fenced=fenced)


def _fence(layout: Layout, token: int, *, even_if_full: bool) -> bool:
    """Refuse a controller whose lease was taken over by another that has been here since.

    Returns:
        Whether its token is noted; False only on a full disk, and if that was allowed.
    """
    state = State.load(layout)
    if token < state.token:
        raise AgentError(
            "stale",
            f"a later release was here: its lease is number {state.token}, ours is {token}",
            "See what it did with `castoff status`, then start again. If the store was lost or "
            f"moved since, and counts from the beginning: castoff unlock --above {state.token}",
        )
    if token > state.token:
        state.token = token
        try:
            state.save(layout)
        except OSError as error:
            if not even_if_full or from_os_error(error).code != "no-space":
                raise
            return False
    return True


def _facts(layout: Layout, interpreter: str | None) -> dict[str, Any]:
    free_bytes, free_inodes = free(layout.root)
    machine = os.uname()
    return {
        "python": ".".join(str(number) for number in sys.version_info[:3]),
        "interpreter": interpreter,
        "machine": machine.machine,
        "glibc": glibc(),
        "user": user_name(),
        "hostname": machine.nodename,
        "root": layout.root,
        "free_bytes": free_bytes,
        "free_inodes": -1 if free_inodes is None else free_inodes,
    }
