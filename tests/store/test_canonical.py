"""One spelling for one value."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castoff.store import canonical

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=10,
)


def test_keys_are_sorted_and_nothing_is_padded() -> None:
    assert canonical.dumps({"b": [1, None, True], "a": "é"}) == (
        '{"a":"é","b":[1,null,true]}'.encode()
    )


@given(VALUES)
def test_any_value_reads_back_and_is_spelled_the_same_again(value: object) -> None:
    data = canonical.dumps(value)

    assert json.loads(data) == value
    assert canonical.dumps(json.loads(data)) == data


@given(st.dictionaries(TEXT, st.integers()))
def test_the_order_of_insertion_leaves_no_trace(value: dict[str, int]) -> None:
    turned = dict(reversed(value.items()))

    assert canonical.dumps(turned) == canonical.dumps(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, "\ud800"])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"not JSON compliant|surrogates not allowed"):
        canonical.dumps(value)
