"""Several places looked through as one: a file is there if it is in any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from castoff.store.public.place import Placed, Shelf


@dataclass(frozen=True, slots=True)
class Shelves:
    """Places that hold files of one app under the same keys."""

    each: tuple[Shelf, ...]

    def listing(self, prefix: str = "") -> dict[str, Placed]:
        """Return all files whose key starts with `prefix`; sizes are those of all copies."""
        found: dict[str, Placed] = {}
        for shelf in self.each:
            for key, one in shelf.listing(prefix).items():
                other = found.get(key)
                found[key] = (
                    one
                    if other is None
                    else replace(
                        one,
                        size=one.size + other.size,
                        modified=max(one.modified, other.modified),
                    )
                )
        return found

    def delete(self, keys: Sequence[str]) -> None:
        """Remove files wherever they are."""
        for shelf in self.each:
            shelf.delete(keys)
