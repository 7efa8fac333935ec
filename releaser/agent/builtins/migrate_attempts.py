"""Which attempts at a migration ended well here, for a controller that died before it heard so."""

from __future__ import annotations

import json
import os

from ..durable import write_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..layout import Layout

_FILE = "migrated.json"
_MOST = 50


def ended(layout: Layout, attempt: str) -> bool:
    """Whether an attempt ended well on this host."""
    return attempt in _read(layout)


def note_end(layout: Layout, attempt: str) -> None:
    """Note that an attempt has ended well; it is on the disk when this returns."""
    kept = [*_read(layout), attempt][-_MOST:]
    write_file(_path(layout), json.dumps(kept).encode(), layout.staging)


def _read(layout: Layout) -> list[str]:
    try:
        with open(_path(layout), encoding="utf-8") as file:
            found = json.load(file)
    except (FileNotFoundError, ValueError):
        # Without it the database itself is asked, or the migration runs again.
        return []
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _path(layout: Layout) -> str:
    return os.path.join(layout.meta, _FILE)
