"""Which Pythons find all that they need in `lib/`, and can run it, by what wheels say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from castoff.builder.distributions import Distribution
from castoff.builder.errors import SourceError
from castoff.builder.markers import NoMarker, applies

# Only these are looked at: what another platform asks for, and extras, are the lock's affair.
_BY_PYTHON = re.compile(r";.*\bpython_(?:full_)?version\b")
_EXTRA = re.compile(r";.*\bextra\b")
_NUMBERS = re.compile(r"\b3\.(\d+)(?:\.(\d+))?")

_Version = tuple[int, int]


def bound(
    requires_python: str, distributions: Sequence[Distribution], markers: Mapping[str, str]
) -> str:
    """Narrow a constraint to the Pythons for which nothing is missing.

    A wheel may ask for a package on some Pythons only (`async-timeout; python_full_version <
    "3.11.3"`): what was left out, as the build's Python does not need it, is missing on those. And
    it may not be for some itself (`Requires-Python`).

    Args:
        requires_python: The project's own constraint; may be empty.
        distributions: What is installed.
        markers: The target's environment of PEP 508 markers.

    Returns:
        The constraint, with `>=` or `<` added where there is such a Python.

    Raises:
        SourceError: The constraint cannot be read.
    """
    try:
        allowed = SpecifierSet(requires_python, prereleases=True)
    except InvalidSpecifier as error:
        raise SourceError(f"requires-python: {error}") from error
    there = {one.name: one.version for one in distributions}
    asked = [one for one in _by_python(distributions) if not _lacks(one, there, markers)]
    own = [one for one in _own(distributions) if one.contains(markers["python_full_version"])]

    def misses(version: _Version) -> bool:
        at = _at(markers, version)
        full = at["python_full_version"]
        return allowed.contains(full) and (
            any(_lacks(one, there, at) for one in asked)
            or not all(one.contains(full) for one in own)
        )

    built = _version(markers["python_full_version"])
    # What holds for a version holds up to the next one that somebody names.
    texts = (requires_python, *(str(one.marker) for one in asked), *map(str, own))
    steps = sorted({(0, 0), *(step for text in texts for step in _steps(text))})
    least: _Version | None = None
    last = max(step for step in steps if step <= built)
    for step in reversed([each for each in steps if each < last]):
        if misses(step):
            least = last
            break
        last = step
    most = next((step for step in steps if step > built and misses(step)), None)
    clauses = [requires_python] if requires_python else []
    if not requires_python:
        # Hosts take the build's minor version for the least, but with other clauses.
        floor = (built[0], 0)
        least = least if least is not None and least > floor else floor if most else None
    if least is not None:
        clauses.append(f">={_text(least)}")
    if most is not None:
        clauses.append(f"<{_text(most)}")
    return ",".join(clauses)


def _by_python(distributions: Sequence[Distribution]) -> Iterator[Requirement]:
    for distribution in distributions:
        for text in distribution.requires:
            if _BY_PYTHON.search(text) and not _EXTRA.search(text):
                try:
                    yield Requirement(text)
                except InvalidRequirement:
                    continue


def _own(distributions: Sequence[Distribution]) -> Iterator[SpecifierSet]:
    for text in {one.requires_python for one in distributions if one.requires_python}:
        with suppress(InvalidSpecifier):
            yield SpecifierSet(text, prereleases=True)


def _lacks(one: Requirement, there: Mapping[str, str], markers: Mapping[str, str]) -> bool:
    try:
        if not applies(one.marker, {**markers, "extra": ""}):
            return False
    except NoMarker:
        return False
    version = there.get(canonicalize_name(one.name))
    return version is None or not one.specifier.contains(version, prereleases=True)


def _steps(text: str) -> Iterator[_Version]:
    """Yield the versions at which a marker or constraint may change its mind."""
    for minor, micro in _NUMBERS.findall(text):
        yield int(minor), int(micro or 0)
        yield (int(minor), int(micro) + 1) if micro else (int(minor) + 1, 0)


def _version(full: str) -> _Version:
    _, minor, micro = re.split(r"[.+a-z]", f"{full}.0")[:3]
    return int(minor), int(micro)


def _at(markers: Mapping[str, str], version: _Version) -> dict[str, str]:
    full = f"3.{version[0]}.{version[1]}"
    return {
        **markers,
        "python_version": f"3.{version[0]}",
        "python_full_version": full,
        "implementation_version": full,
    }


def _text(version: _Version) -> str:
    return f"3.{version[0]}.{version[1]}" if version[1] else f"3.{version[0]}"
