"""Restore a back-up: check every byte, fill a copy beside, then let the two change places."""

from __future__ import annotations

import os
import time
from contextlib import closing, suppress

from ..command import clean_environment
from ..errors import AgentError
from ..output import Output
from ..spool import Spool
from .backup_folder import Folder, blocks_of
from .backup_kinds import source_of
from .deadline import Deadline
from .encryption import decrypted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Generator

    from ..layout import Layout
    from ..messages import Channel
    from ..parameters import Parameters
    from .backup_kinds import Source

_INCOMING = ".incoming"


def perform(layout: Layout, channel: Channel, parameters: Parameters) -> dict[str, Any]:
    """Restore a back-up that lies here, or that the controller gives.

    `options` is the step's table; beside it `description`, the back-up's; `identity`, what
    decrypts it, or null; `check` (bool): go no further than finding that it could be restored.

    Returns:
        `seconds`; `kept`: what the former content is called now; `undo`: how to go back.

    Raises:
        AgentError: `corrupt`, `missing`, `invalid`, `permission`, before anything was touched;
            `step-failed`, `step-timeout`: what is served is what it was.
    """
    options, description = parameters.within("options"), parameters.within("description")
    if options is None or description is None:
        raise AgentError("invalid", "a restore without options or a description")
    deadline = Deadline(parameters.text("name"), parameters.seconds("timeout"))
    source, _ = source_of(layout, parameters, options)
    identity = parameters.text_or_none("identity")
    if description.text_or_none("encryption") is not None and identity is None:
        raise AgentError(
            "invalid", "this back-up is encrypted", "Give what decrypts it: --identity FILE"
        )
    folder = Folder(layout, options, parameters.variables("env"))
    incoming = None
    try:
        if options.choice("to", ("host", "store")) == "store":
            incoming = _take(channel, folder, description)
        path = incoming or folder.check(description)
        source.ready(deadline)
        if parameters.flag("check"):
            return {"seconds": deadline.spent, "kept": "", "undo": ""}
        return _restore(layout, channel, parameters, source, path, deadline)
    finally:
        if incoming is not None:
            os.unlink(incoming)


def _restore(
    layout: Layout,
    channel: Channel,
    parameters: Parameters,
    source: Source,
    path: str,
    deadline: Deadline,
) -> dict[str, Any]:
    beside, kept = source.names(stamp(time.time()))
    output = Output(channel, deadline.at)
    identity = parameters.text_or_none("identity")
    try:
        output.take(f"{source.name}: filling a copy beside it\n".encode())
        with closing(_data(layout, parameters, path, identity, deadline)) as data:
            source.load(data, beside, deadline)
        output.take(f"{source.name}: letting the two change places\n".encode())
        undo = source.swap(beside, kept, deadline)
    except BaseException:
        # With time of its own: that the step's is up may be the very failure. What cannot be
        # dropped now goes with the next restore, and is not what the reader has to know.
        with suppress(AgentError, OSError):
            source.drop(beside, Deadline(parameters.text("name"), 60))
        raise
    finally:
        output.close()
    return {"seconds": deadline.spent, "kept": kept, "undo": undo}


def stamp(moment: float) -> str:
    """Return a time as part of a name, in tenths of a second.

    Two restores of the same in one second would else take the first one's former content for
    theirs; no command is through in a tenth.
    """
    return f"{time.strftime('%Y%m%d%H%M%S', time.gmtime(moment))}{int(moment * 10) % 10}"


def _data(
    layout: Layout, parameters: Parameters, path: str, identity: str | None, deadline: Deadline
) -> Generator[bytes, None, None]:
    description = parameters.within("description")
    blocks: Iterator[bytes] = blocks_of(path)
    if description is not None and description.text_or_none("encryption") and identity:
        environment = clean_environment(layout, parameters.version("version"), {})
        blocks = decrypted(blocks, identity, environment, deadline)
    yield from blocks


def _take(channel: Channel, folder: Folder, description: Parameters) -> str:
    """Take the data from the controller into a file; return its path.

    Raises:
        AgentError: `corrupt`: it is not what the description says. `fetch`: it was cut short.
    """
    folder.make()
    path = os.path.join(folder.path, f".{description.text('id')}{_INCOMING}")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w+b", buffering=0) as file:
            spool = Spool(file, description.whole("size"))
            channel.event("want", offset=0, length=spool.size)
            _hear_out(channel, spool)
            spool.finish(description.text("sha256"))
    except BaseException:
        with suppress(OSError):
            os.unlink(path)
        raise
    return path


def _hear_out(channel: Channel, spool: Spool) -> None:
    """Take all blocks, to the end: what is on its way would be taken for the next request."""
    trouble: OSError | None = None
    for block in channel.chunks():
        if trouble is None:
            try:
                spool.write(block)
            except OSError as error:
                trouble = error
    if trouble is not None:
        raise trouble
