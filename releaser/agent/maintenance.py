"""The maintenance page: a link that the web server looks for, there while the page is on."""

from __future__ import annotations

import hashlib
import os
import time

from .durable import replace_link, sync_folder, write_file
from .errors import AgentError
from .layout import Layout
from .trash import delete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parameters import Parameters

_DIGITS = frozenset("0123456789abcdef")
_NAME = 16


def put_page(layout: Layout, parameters: Parameters) -> dict[str, Any]:
    """Put a page on the disk; nothing serves it yet.

    Returns:
        `page`: the name to switch it on by.
    """
    data = parameters.text("text").encode()
    name = hashlib.sha256(data).hexdigest()[:_NAME]
    os.makedirs(os.path.join(layout.pages, name), exist_ok=True)
    sync_folder(layout.pages)
    write_file(os.path.join(layout.pages, name, "index.html"), data, layout.staging)
    kept = (name, _linked(layout))
    for other in os.listdir(layout.pages):
        if other not in kept:
            delete(os.path.join(layout.pages, other))
    return {"page": name}


def switch_page(layout: Layout, parameters: Parameters) -> dict[str, Any]:
    """Switch the page on by one rename, or off by one removal.

    Returns:
        `before`: the page that was on, or None; `at`: the wall clock's time of the switch.

    Raises:
        AgentError: `invalid`: something that Castoff did not make stands in the link's place.
            `missing`: there is no such page.
    """
    page = parameters.text_or_none("page")
    before = _linked(layout)
    if page is not None:
        known = bool(page) and _DIGITS.issuperset(page)
        if not known or not os.path.isdir(os.path.join(layout.pages, page)):
            raise AgentError("missing", "no such maintenance page on this host")
        replace_link(f".castoff/maintenance/{page}", layout.maintenance, layout.staging)
    elif before is not None:
        os.unlink(layout.maintenance)
    switched = time.time()
    sync_folder(layout.root)
    return {"before": before, "at": switched}


def page_is_on(layout: Layout) -> bool:
    """Whether the page is on; what else may stand in the link's place is not ours."""
    try:
        return _linked(layout) is not None
    except AgentError:
        return False


def _linked(layout: Layout) -> str | None:
    """Return the name of the page that is on, or None.

    Raises:
        AgentError: `invalid`: something else stands there.
    """
    try:
        target = os.readlink(layout.maintenance)
    except FileNotFoundError:
        return None
    except OSError:
        target = ""
    folder, _, name = target.rpartition("/")
    if folder == ".castoff/maintenance":
        return name
    raise AgentError(
        "invalid",
        f"{layout.maintenance} is not a link to one of Castoff's maintenance pages",
        "Something else made it. Move it away.",
    )
