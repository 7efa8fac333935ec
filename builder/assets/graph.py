"""The order in which files get their names, where each name depends on others' content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet


def groups(edges: Mapping[str, AbstractSet[str]]) -> list[list[str]]:
    """Return the strongly connected components, each after all that it depends on.

    Tarjan's algorithm (Depth-first search and linear graph algorithms, 1972), with a stack of its
    own instead of recursion. Nodes are visited in sorted order, so the result is always the same.

    Args:
        edges: For each node the nodes that it depends on, all of them keys too.

    Returns:
        Sorted lists of nodes; one of several nodes is a cycle.
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[list[str]] = []

    def enter(node: str) -> tuple[str, Iterator[str]]:
        index[node] = low[node] = len(index)
        stack.append(node)
        on_stack.add(node)
        return node, iter(sorted(edges[node]))

    for root in sorted(edges):
        if root in index:
            continue
        work = [enter(root)]
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in index:
                    work.append(enter(other))
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == index[node]:
                    first = stack.index(node)
                    found.append(sorted(stack[first:]))
                    on_stack.difference_update(stack[first:])
                    del stack[first:]
    return found
