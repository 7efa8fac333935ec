"""Paths of a release, told from those that lead elsewhere."""

from __future__ import annotations

from itertools import product

import pytest

from castoff.releaser.agent.errors import AgentError
from castoff.releaser.agent.paths import check_path


def is_taken(path: str) -> bool:
    try:
        return check_path(path) == path
    except AgentError:
        return False


def test_no_part_of_a_path_is_empty_or_leads_elsewhere() -> None:
    for length in range(7):
        for characters in product("a./\0", repeat=length):
            path = "".join(characters)
            good = not {"", ".", ".."}.intersection(path.split("/")) and "\0" not in path
            assert is_taken(path) == good, path


@pytest.mark.parametrize(
    ("path", "good"),
    [
        ("é" * 127, True),
        ("é" * 128, False),
        (f"lib/{'b' * 255}/{'c' * 255}", True),
        (f"lib/{'b' * 256}/c", False),
        ("/".join("d" * 2000), True),
        ("/".join("d" * 2001), False),
        ("\udc80", False),
    ],
)
def test_a_path_is_no_longer_than_linux_takes(path: str, good: bool) -> None:
    assert is_taken(path) == good
