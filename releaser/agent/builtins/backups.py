"""What back-ups are on this host; nothing is changed."""

from __future__ import annotations

import time

from ..errors import AgentError
from .backup_folder import Folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..layout import Layout
    from ..messages import Channel
    from ..parameters import Parameters


def perform(layout: Layout, channel: Channel, parameters: Parameters) -> dict[str, Any]:
    """Return `backups`: the descriptions in the folder that the options name, oldest first.

    Of one that is damaged there is the `id` alone.
    """
    del channel
    started = time.monotonic()
    options = parameters.within("options")
    if options is None:
        raise AgentError("invalid", "a look at back-ups without options")
    folder = Folder(layout, options, parameters.variables("env"))
    found = [*folder.descriptions(), *({"id": one} for one in folder.unreadable())]
    return {"seconds": time.monotonic() - started, "backups": found}
