from __future__ import annotations

import pytest

from castoff.builder.cache_size import parse_size
from castoff.store.errors import UsageError


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("0", 0),
        ("12", 12),
        ("1k", 1024),
        ("500M", 500 * 1024**2),
        (" 1.5 GiB ", 3 * 1024**3 // 2),
        ("2gb", 2 * 1024**3),
        ("1T", 1024**4),
    ],
)
def test_units_are_powers_of_1024(text: str, wanted: int) -> None:
    assert parse_size(text, name="--max-size") == wanted


@pytest.mark.parametrize("text", ["", "much", "-1", "1X", "1.G", "٣", "1e9", "inf"])
def test_what_is_no_size_is_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError, match="--max-size"):
        parse_size(text, name="--max-size")
