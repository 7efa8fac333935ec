"""What a version's configuration would change on this host; nothing is changed."""

from __future__ import annotations

import hashlib
import stat

from .current import read_current
from .layout import Layout
from .named_tuple import NamedTuple
from .outside import Present, installed, is_edited, look, original
from .rendered import Rendered, in_use, read_set

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parameters import Parameters


class _New(NamedTuple):
    """A file as it would be.

    Attributes:
        sha256: Of its content.
        secret: Whether it holds secrets.
    """

    sha256: str
    secret: bool


def compare(layout: Layout, parameters: Parameters) -> dict[str, Any]:
    """Return of each file that would change how, and what it says now.

    What others than its owner may not read is not said, nor what somebody has changed of a file
    that held secrets: their values of then are known to nobody any more. What Castoff has written
    it knows how to say without its secrets.

    Returns:
        `files`: of each its `path`; its `change` (`new`, `changed`, `removed`, `restored`); whether
        it was `edited` since Castoff put it there; what it says `before`, and `after` where that is
        restored, None for what cannot be told.
    """
    new = {
        item.text("path"): _New(item.text("sha256"), item.flag("secret"))
        for item in parameters.each("files")
    }
    known = {file.path: file for file in _in_use(layout)}
    entries = installed(layout)
    rows = []
    for path in sorted({*new, *entries}):
        if path.startswith("/"):
            row = _outside(layout, path, new.get(path), known.get(path), entries.get(path))
        else:
            row = _inside(path, new[path], known.get(path))
        rows += [] if row is None else [row]
    return {"files": rows}


def _in_use(layout: Layout) -> list[Rendered]:
    version = read_current(layout)
    name = in_use(layout, version)
    return [] if version is None or name is None else read_set(layout, version, name)


def _inside(path: str, new: _New, known: Rendered | None) -> dict[str, Any] | None:
    if known is None:
        return _row(path, "new", before="")
    return None if known.sha256 == new.sha256 else _row(path, "changed", before=known.shown)


def _outside(
    layout: Layout,
    path: str,
    new: _New | None,
    known: Rendered | None,
    entry: dict[str, Any] | None,
) -> dict[str, Any] | None:
    present = look(path)
    if new is not None and present.mark == f"file:{new.sha256}":
        return None
    edited = entry is not None and is_edited(present, entry)
    ours = known is not None and present.mark == f"file:{known.sha256}"
    if ours and known is not None:
        before = known.shown
    else:
        # What a run that broke off has put there is known to nobody either.
        stale = entry is not None and (not edited or known is None or _held_secrets(known))
        before = _told(present, secret=stale or (new is not None and new.secret))
    if new is not None:
        change = "new" if present.mark == "absent" else "changed"
        return _row(path, change, edited=edited, before=before)
    first = original(layout, path)
    if first.mark == present.mark:
        return None
    if first.mark == "absent":
        return _row(path, "removed", edited=edited, before=before, after="")
    return _row(path, "restored", edited=edited, before=before, after=_told(first, secret=False))


def _held_secrets(known: Rendered) -> bool:
    """Whether a file was written with values that people are not shown."""
    return known.shown is None or hashlib.sha256(known.shown.encode()).hexdigest() != known.sha256


def _told(present: Present, *, secret: bool) -> str | None:
    """Return a file's text if anybody may read it, and it may not hold secrets."""
    if present.mark == "absent":
        return ""
    if secret or not present.mode & stat.S_IROTH:
        return None
    try:
        return present.data.decode()
    except UnicodeDecodeError:
        return None


def _row(
    path: str,
    change: str,
    *,
    edited: bool = False,
    before: str | None = None,
    after: str | None = None,
) -> dict[str, Any]:
    return {"path": path, "change": change, "edited": edited, "before": before, "after": after}
