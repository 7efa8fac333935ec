"""Take a release's rendered configuration in, and have it judged by the programs that read it."""

from __future__ import annotations

import hashlib
import os
import shlex
import time

from ..command import clean_environment
from ..current import read_current
from ..errors import AgentError
from ..outside import edited, installed, original
from ..paths import check_path
from ..placed import Placed, place
from ..records import read_links
from ..rendered import Rendered, forget_others, in_use, read_set, use, write_set
from ..rights import mode_of
from ..state import State
from ..switch import placed
from ..trash import delete
from .check_nginx import check_nginx
from .check_systemd import check_systemd
from .checking import Checking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..layout import Layout
    from ..messages import Channel
    from ..parameters import Parameters

_KINDS = ("nginx", "systemd", "command")


def perform(layout: Layout, channel: Channel, parameters: Parameters) -> dict[str, Any]:
    """Have a version's set of files on the disk, checked; nothing that is served reads it yet.

    Returns:
        `config`: the set's name, by which `activate` brings it into use. `notes`: for people.

    Raises:
        AgentError: `step-failed`, `step-timeout`: a program does not take its file. `invalid`: a
            path cannot be used, or the release was not prepared with it. `permission`: a user or
            group is not here.
    """
    version = parameters.version("version")
    options = parameters.within("options")
    if options is None:
        raise AgentError("invalid", "no files were given")
    started = time.monotonic()
    wanted = [_file(layout, item) for item in options.each("files")]
    files = [(file, data) for file, data, _ in wanted]
    state = State.load(layout)
    served = read_current(layout) == version
    before = in_use(layout, version)
    _require_links(layout, version, [file.path for file, _ in files if not file.outside])
    if served and state.colors:
        _require_same_inside(layout, version, before, [file for file, _ in files])
    name = write_set(layout, version, [(file, placed(file, data)) for file, data in files])
    environment = clean_environment(layout, version, parameters.variables("env"))
    using = not served and before != name
    if using:
        # Before the change, so that whoever comes after a crash starts the instance anew as well.
        _start_anew(layout, state, version)
        # Checks run in the release, where programs find its other files as they will be.
        use(layout, version, name)
    try:
        _judge(channel, layout, version, environment, wanted)
    except BaseException:
        if using:
            use(layout, version, before)
        raise
    forget_others(layout, version, {name, in_use(layout, version), *_named(state, version)})
    notes = [
        f"{path} was edited since Castoff put it there; the release replaces it and keeps a copy"
        for path in edited(layout)
    ]
    return {"config": name, "notes": notes, "seconds": time.monotonic() - started}


def _judge(
    channel: Channel,
    layout: Layout,
    version: str,
    environment: dict[str, str],
    wanted: list[tuple[Rendered, bytes, _Check | None]],
) -> None:
    scratch = os.path.join(layout.staging, "check")
    _delete(scratch)
    os.mkdir(scratch, 0o700)
    checking = Checking(channel, layout.release(version), environment, scratch)
    try:
        _check_all(checking, layout, version, wanted)
    finally:
        _delete(scratch)


class _Check:
    """How a file is judged.

    Attributes:
        kind: `nginx`, `systemd` or `command`.
        argument: nginx's main file or None; the command.
        limit: Seconds that it may take.
    """

    def __init__(self, item: Parameters) -> None:
        self.kind = item.choice("kind", _KINDS)
        self.argument = item.text_or_none("argument")
        self.limit = item.seconds("timeout")


def _file(layout: Layout, item: Parameters) -> tuple[Rendered, bytes, _Check | None]:
    path, data = item.text("path"), item.text("text").encode()
    if path.startswith("/"):
        check_path(path[1:])
        for ours in (layout.releases, layout.layers, layout.meta):
            if path.startswith(ours + "/"):
                raise AgentError("invalid", f"{path} is Castoff's own; make the path relative")
    else:
        check_path(path)
    rendered = Rendered(
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        mode=mode_of(item.text("mode")) or 0,
        owner=item.text_or_none("owner"),
        group=item.text_or_none("group"),
        shown=item.text_or_none("shown"),
    )
    check = item.within("check")
    return rendered, data, None if check is None else _Check(check)


def _require_links(layout: Layout, version: str, inside: list[str]) -> None:
    """See that the release has a link for each file in it, and no other."""
    linked = set(read_links(layout, version).configured)
    if linked == set(inside):
        return
    path = sorted(linked.symmetric_difference(inside))[0]
    has = "a link for" if path in linked else "no link for"
    raise AgentError(
        "invalid",
        f"{version} was prepared with {has} {path}, and castoff.toml says otherwise now",
        "What is served is not changed under its feet: release another version, or prepare this "
        "one again once another is served.",
    )


def _require_same_inside(
    layout: Layout, version: str, before: str | None, files: list[Rendered]
) -> None:
    """Do not let two instances of one version, blue and green, differ in what both read."""
    had = [] if before is None else read_set(layout, version, before)
    if {_inside(file) for file in had} != {_inside(file) for file in files}:
        raise AgentError(
            "invalid",
            f"{version} is served, and blue and green would read its new configuration at once",
            "Release the new values with a version of their own: castoff build --version …",
        )


def _inside(file: Rendered) -> tuple[str, str] | None:
    return None if file.outside else (file.path, file.sha256)


def _start_anew(layout: Layout, state: State, version: str) -> None:
    """Let nobody take an instance for ready that was started with other values."""
    stale = [entry for entry in state.colors.values() if entry["version"] == version]
    if any(entry["ready"] for entry in stale):
        for entry in stale:
            entry.update(ready=False, release=None)
        state.save(layout)


def _named(state: State, version: str) -> set[str | None]:
    """Return the sets of a version that the host may still go back to, or on to."""
    names = {state.config} if state.good == version else set()
    intent = state.intent or {}
    for end, config in (("to", "config"), ("from", "from_config")):
        if intent.get(end) == version:
            names.add(intent.get(config))
    return names


def _check_all(
    checking: Checking,
    layout: Layout,
    version: str,
    wanted: list[tuple[Rendered, bytes, _Check | None]],
) -> None:
    contents = _outside(layout, wanted)
    mains: dict[str | None, list[tuple[str, float]]] = {}
    units: list[tuple[str, float]] = []
    for number, (file, data, check) in enumerate(wanted):
        if check is None:
            continue
        if check.kind == "nginx":
            mains.setdefault(check.argument, []).append((file.path, check.limit))
        elif check.kind == "systemd":
            units.append((file.path, check.limit))
        else:
            _check_one(checking, file, data, check, number)
    for main, several in mains.items():
        paths, limit = [path for path, _ in several], max(limit for _, limit in several)
        check_nginx(checking, main, contents, paths, limit, root=layout.root, version=version)
    if units:
        paths, limit = [path for path, _ in units], max(limit for _, limit in units)
        check_systemd(checking, contents, paths, limit, root=layout.root, version=version)


def _check_one(checking: Checking, file: Rendered, data: bytes, check: _Check, number: int) -> None:
    """Run a command on a copy that has the file's own name, which some programs judge by."""
    folder = os.path.join(checking.scratch, f"own-{number}")
    os.mkdir(folder, 0o700)
    copy = os.path.join(folder, os.path.basename(file.path))
    place(copy, Placed(data, 0o600, None, None), f"{copy}.new")
    command = (check.argument or "").replace("{file}", shlex.quote(copy))
    checking.shell(command, file.path, check.limit, copies={copy: file.path})


def _outside(
    layout: Layout, wanted: list[tuple[Rendered, bytes, _Check | None]]
) -> dict[str, bytes | None]:
    """Return what all files outside the release will hold; None for those that will be gone."""
    contents: dict[str, bytes | None] = {}
    for path in installed(layout):
        before = original(layout, path)
        if before.mark == "absent":
            contents[path] = None
        elif before.mark.startswith("file:"):
            contents[path] = before.data
    contents.update((file.path, data) for file, data, _ in wanted if file.outside)
    return contents


def _delete(path: str) -> None:
    if os.path.lexists(path):
        delete(path)
