"""One entry of the history as the JSON that `history` and `report` print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from castoff.store.deed import Deed
    from castoff.store.history import Entry


def entry_json(
    entry: Entry | Deed, remarks: tuple[str, ...], *, exclude: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return an entry with what was remarked after it.

    Args:
        entry: The entry.
        remarks: What `store/remarks.py` has of it.
        exclude: Fields to leave out, as pydantic takes them.
    """
    return {
        **entry.model_dump(mode="json", by_alias=True, exclude=exclude),
        "remarks": list(remarks),
    }
