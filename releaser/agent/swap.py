"""Put a finished tree into `releases/`, even where a damaged one is being served."""

from __future__ import annotations

import errno
import os

from .durable import sync_folder, unique
from .layout import Layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# renameat2(2): flag to exchange two names, and the folder that relative paths start from.
_EXCHANGE = 2
_HERE = -100
_CANNOT = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


def put_in_place(layout: Layout, tree: str, version: str) -> None:
    """Rename a finished tree to the release that it is; what stands there goes to the trash.

    Whoever reads through `current` meanwhile finds the old tree or the new one, never none, where
    the file system can exchange two names; else, for a moment between two renames, none.
    """
    place = layout.release(version)
    if os.path.lexists(place):
        # By way of the trash, so that the old tree is never anywhere but in one of the two.
        aside = unique(layout.trash, version)
        os.rename(tree, aside)
        exchange(aside, place, unique(layout.trash, version))
    else:
        os.rename(tree, place)
    sync_folder(layout.releases)


def exchange(one: str, other: str, spare: str) -> None:
    """Let two paths change names; by way of `spare` where the file system cannot do it at once."""
    call = _renameat2()
    if call is not None:
        try:
            call(one, other)
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
        else:
            return
    os.rename(other, spare)
    try:
        os.rename(one, other)
    except OSError:
        os.rename(spare, other)
        raise


def _renameat2() -> Callable[[str, str], None] | None:
    try:
        import ctypes

        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (ImportError, OSError, AttributeError):
        return None

    def call(one: str, other: str) -> None:
        if function(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), other)

    return call
