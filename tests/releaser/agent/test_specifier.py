from __future__ import annotations

from itertools import product

import pytest
from packaging.specifiers import SpecifierSet

from castoff.releaser.agent.specifier import fits

VERSIONS = ["3.8.0", "3.8.18", "3.9.2", "3.10.0", "3.11.7", "3.12.0", "3.13.1", "4.0.0"]
CONSTRAINTS = [
    ">=3.9",
    ">3.9",
    ">=3.9.2",
    "<3.12",
    "<=3.12",
    "==3.11.*",
    "==3.11",
    "==3.12.0",
    "!=3.9.*",
    "!=3.9.2",
    "~=3.9",
    "~=3.9.1",
    ">=3.8,<4",
    ">= 3.9 , != 3.11.*",
    ">=3",
]


@pytest.mark.parametrize(("version", "constraint"), list(product(VERSIONS, CONSTRAINTS)))
def test_simple_constraints_mean_what_packaging_says(version: str, constraint: str) -> None:
    numbers = tuple(int(part) for part in version.split("."))
    assert fits(numbers, constraint) is SpecifierSet(constraint).contains(version)


@pytest.mark.parametrize(
    "constraint", ["", "3.9", "===3.9", ">=3.9rc1", "~=3", ">=3.*", ">=3.9;", ">=3.9,", "latest"]
)
def test_other_constraints_are_not_judged(constraint: str) -> None:
    assert fits((3, 9, 2), constraint) is None
