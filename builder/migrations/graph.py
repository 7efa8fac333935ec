"""Graphs of migrations, each given as the names that every name builds on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Parents = Mapping[str, Sequence[str]]


def heads(parents: Parents) -> tuple[str, ...]:
    """Return the names that no other one builds on, sorted."""
    built_on = {each for above in parents.values() for each in above}
    return tuple(sorted(parents.keys() - built_on))


def in_order(parents: Parents) -> list[str]:
    """Return all names, each after those that it builds on; what goes in a circle comes last.

    Names that are only built on, and not in the graph themselves, are passed over.
    """
    left = dict.fromkeys(sorted(parents))
    found: dict[str, None] = {}
    while left:
        free = [n for n in left if all(p in found or p not in parents for p in parents[n])]
        for name in free or list(left):
            found[name] = None
            del left[name]
    return list(found)
