"""Whether a Python version fits a `requires-python` constraint (PEP 440), for the simple ones."""

from __future__ import annotations

import re

_CLAUSE = re.compile(r"\s*(~=|==|!=|<=|>=|<|>)\s*(\d+(?:\.\d+)*)(\.\*)?\s*")


def fits(version: tuple[int, ...], constraint: str) -> bool | None:
    """Say whether a final version fits, or None if the constraint is beyond this evaluator.

    Args:
        version: Its numbers, such as `(3, 11, 7)`.
        constraint: Comma-separated clauses of final versions; `.*` after `==` and `!=` only.
            Pre-releases, `===` and the like are not understood.
    """
    verdict = True
    for clause in constraint.split(","):
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            return None
        operator, numbers, star = match.groups()
        wanted = tuple(int(number) for number in numbers.split("."))
        if (star and operator not in ("==", "!=")) or (operator == "~=" and not wanted[1:]):
            return None
        verdict = verdict and _holds(version, operator, wanted, bool(star))
    return verdict


def _holds(version: tuple[int, ...], operator: str, wanted: tuple[int, ...], star: bool) -> bool:
    if operator == "~=":
        return _padded(version, len(wanted)) >= wanted and _starts(version, wanted[:-1])
    if star:
        return _starts(version, wanted) == (operator == "==")
    length = max(len(version), len(wanted))
    ours, theirs = _padded(version, length), _padded(wanted, length)
    return {
        "==": ours == theirs,
        "!=": ours != theirs,
        "<=": ours <= theirs,
        ">=": ours >= theirs,
        "<": ours < theirs,
        ">": ours > theirs,
    }[operator]


def _starts(version: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return _padded(version, len(wanted))[: len(wanted)] == wanted


def _padded(version: tuple[int, ...], length: int) -> tuple[int, ...]:
    return version + (0,) * (length - len(version))
