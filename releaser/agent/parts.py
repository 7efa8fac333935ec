"""What a release has of its own on this host, and what it shares with others."""

from __future__ import annotations

import os

from .layer_link import FOLDER
from .layers import Shareable, break_seals, find_layer, shareable
from .named_tuple import NamedTuple
from .table import Table
from .texts import Texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .layout import Layout
    from .parameters import Parameters
    from .reuse import Wanted

# How a request says that layers are to be used: by their seals alone, or read each time.
_WAYS = ("sealed", "read")


class Parts(NamedTuple):
    """What a release is made of.

    Attributes:
        own: The rows of its table about what it has of its own.
        layer: The layer in which it finds all the rest, or None.
        new: What is to become a layer once it is made, or None.
        notes: What to say of it.
    """

    own: Table
    layer: str | None
    new: Shareable | None
    notes: list[str]


def parts_of(
    layout: Layout, wanted: Wanted, parameters: Parameters, *, changing: bool = True
) -> Parts:
    """Divide a release that is to be made.

    Args:
        layout: The app's paths.
        wanted: The release.
        parameters: The request.
        changing: Whether anything may be changed on the host.
    """
    way = parameters.choice_or_none("layers", _WAYS)
    if wanted.rest is not None:
        directories = Texts(path for path in wanted.table.directories if path != FOLDER)
        own = wanted.table._replace(directories=directories)
        return Parts(own, wanted.rest.layer, None, [])
    part = None if way is None else shareable(wanted)
    if part is None:
        return Parts(wanted.table, None, None, [])
    # Where the release is there and was refused, that may be for what its layer holds.
    reads = way == "read" or os.path.lexists(layout.release(wanted.version))
    found = find_layer(layout, part, reads=reads)
    if changing:
        break_seals(layout, found.spoilt)
    notes = [
        f"{layout.layers}/{name} is not as it was put there, so that no more releases share it"
        for name in found.spoilt
    ]
    if found.name is None:
        return Parts(wanted.table, None, part, notes)
    return Parts(part.rest, found.name, None, notes)
