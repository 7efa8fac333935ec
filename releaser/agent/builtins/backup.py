"""The step `backup`: data in one file, hashed while it is written, and described last."""

from __future__ import annotations

import base64
import hashlib
import os
import time
from contextlib import closing

from ..command import clean_environment
from ..current import read_current
from ..output import Output
from .backup_folder import Folder
from .backup_kinds import source_of
from .deadline import Deadline
from .encryption import NAME, encrypted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Generator

    from ..layout import Layout
    from ..messages import Channel
    from ..parameters import Parameters

_SCHEMA = 1


def perform(layout: Layout, channel: Channel, parameters: Parameters) -> dict[str, Any]:
    """Make a back-up, here or through the controller in the store.

    Returns:
        `seconds`; `description`: what is known of the back-up; `removed`: the identifiers of
        older ones that went.

    Raises:
        AgentError: `step-failed`, `step-timeout`, `missing`, `invalid`, `no-space`, `permission`.
        Gone: The controller left; then there is no back-up.
    """
    options = parameters.part("options")
    variables = parameters.variables("env")
    deadline = Deadline(parameters.text("name"), parameters.seconds("timeout"))
    source, suffix = source_of(layout, parameters, options)
    recipients = options.texts_or_none("recipients")
    began, served, coming = time.time(), read_current(layout), parameters.version("version")
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(began))
    identifier = f"{stamp}-{parameters.text('name')}-{os.urandom(3).hex()}"
    description: dict[str, Any] = {
        "schema": _SCHEMA,
        "id": identifier,
        "app": variables.get("CASTOFF_APP", ""),
        "environment": variables.get("CASTOFF_ENVIRONMENT", ""),
        "host": variables.get("CASTOFF_HOST", ""),
        "step": parameters.text("name"),
        "kind": options.text("kind"),
        "name": source.name,
        "version": served,
        "coming": None if coming == served else coming,
        "time": began,
        "file": identifier + suffix + (f".{NAME}" if recipients else ""),
        "encryption": NAME if recipients else None,
        "tool": source.tool(deadline),
    }
    data = _data(layout, parameters, source.dump(deadline), recipients, deadline)
    removed: list[str] = []
    with closing(data):
        if options.choice("to", ("host", "store")) == "store":
            description.update(_hand_over(channel, data))
            description["seconds"] = deadline.spent
        else:
            folder = Folder(layout, options, variables)
            folder.make()
            # Before: what an unfinished one has left may be what fills the disk.
            keep = {"step": description["step"], "keep": options.whole("keep")}
            where = {"app": description["app"], "environment": description["environment"]}
            folder.tidy(**where, **keep)
            _keep(channel, folder, data, description, deadline)
            removed = folder.tidy(**where, **keep, latest=identifier)
    _tell(channel, deadline, description)
    return {"seconds": deadline.spent, "description": description, "removed": removed}


def _data(
    layout: Layout,
    parameters: Parameters,
    blocks: Iterator[bytes],
    recipients: list[str],
    deadline: Deadline,
) -> Generator[bytes, None, None]:
    if recipients:
        environment = clean_environment(layout, parameters.version("version"), {})
        blocks = encrypted(blocks, recipients, environment, deadline)
    yield from blocks


def _keep(
    channel: Channel,
    folder: Folder,
    data: Iterator[bytes],
    description: dict[str, Any],
    deadline: Deadline,
) -> None:
    digest, size = hashlib.sha256(), 0
    sink = folder.new(description["id"])
    try:
        for block in data:
            # Nobody waits for it any more, and the next run would have to wait for this host.
            channel.check()
            sink.write(block)
            digest.update(block)
            size += len(block)
        description.update(size=size, sha256=digest.hexdigest(), seconds=deadline.spent)
        sink.describe(description)
    finally:
        sink.close()


def _hand_over(channel: Channel, data: Iterator[bytes]) -> dict[str, Any]:
    """Give the data to the controller, block by block; return its size and digest."""
    digest, size = hashlib.sha256(), 0
    for block in data:
        channel.event("data", data=base64.b64encode(block).decode())
        # Where nobody listens any more, a message is lost without an error.
        channel.check()
        digest.update(block)
        size += len(block)
    return {"size": size, "sha256": digest.hexdigest()}


def _tell(channel: Channel, deadline: Deadline, description: dict[str, Any]) -> None:
    output = Output(channel, deadline.at)
    size = f"{description['size']} bytes in {description['seconds']:.1f} s"
    output.take(f"back-up {description['id']}: {size}, {description['tool']}\n".encode())
    output.close()
