from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from castoff.builder.assets.graph import groups

_NODES = "abcdef"


@given(st.fixed_dictionaries({node: st.sets(st.sampled_from(_NODES)) for node in _NODES}))
def test_each_group_comes_after_all_that_it_depends_on(edges: dict[str, set[str]]) -> None:
    found = groups(edges)
    assert sorted(node for group in found for node in group) == sorted(edges)
    seen: set[str] = set()
    for group in found:
        seen |= set(group)
        assert all(edges[node] <= seen for node in group)


@given(st.fixed_dictionaries({node: st.sets(st.sampled_from(_NODES)) for node in _NODES}))
def test_a_group_is_what_reaches_itself(edges: dict[str, set[str]]) -> None:
    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        work = [start]
        while work:
            for other in edges[work.pop()] - seen:
                seen.add(other)
                work.append(other)
        return seen

    for group in groups(edges):
        for node in group:
            assert set(group) - {node} == {o for o in reach(node) if node in reach(o)} - {node}


def test_a_long_chain_does_not_exhaust_the_stack() -> None:
    edges = {f"{i:05}": {f"{i + 1:05}"} for i in range(5000)} | {"05000": set()}
    assert groups(edges)[0] == ["05000"]
