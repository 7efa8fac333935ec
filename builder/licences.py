"""A distribution's licence, by its own metadata, as CycloneDX has it.

Nothing is guessed from texts of licences: what is declared is passed on, by its SPDX expression
where there is one (PEP 639), else by the names in classifiers or in the old `License` field.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_CLASSIFIER = "License :: "
# That it is approved, and not which it is.
_KINDS = frozenset({"OSI Approved", "DFSG approved"})
# Those of https://pypi.org/classifiers/ that mean just one licence of https://spdx.org/licenses/.
_SPDX = {
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "zlib/libpng License": "Zlib",
    "BSD Zero-Clause License (0BSD)": "0BSD",
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
}
_UNKNOWN = frozenset({"", "UNKNOWN"})
# Some put the whole text there; its first line is mostly the name.
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Licence:
    """What a distribution says of its licence.

    Attributes:
        expression: An SPDX expression; empty where there is none.
        names: Else the names of its licences.
    """

    expression: str = ""
    names: tuple[str, ...] = ()


NONE = Licence()


def declared(metadata: Sequence[tuple[str, str]]) -> Licence:
    """Return the licence that metadata declare.

    Args:
        metadata: The fields in their order, each with its name in small letters.
    """
    fields = dict(metadata)
    expression = fields.get("license-expression", "").strip()
    if expression not in _UNKNOWN:
        return Licence(expression)
    classifiers = (text for key, text in metadata if key == "classifier")
    named = tuple(sorted(set(_by_classifiers(classifiers))))
    if named:
        return Licence(names=named)
    lines = fields.get("license", "").strip().splitlines()
    name = lines[0].strip() if lines else ""
    return NONE if name in _UNKNOWN else Licence(names=(name[:_LONGEST_NAME],))


def cyclonedx(licence: Licence) -> list[dict[str, Any]]:
    """Return a component's `licenses`; https://cyclonedx.org/docs/1.6/json/#components_items_licenses.

    Args:
        licence: What `declared` returned.
    """
    if licence.expression:
        return [{"acknowledgement": "declared", "expression": licence.expression}]
    return [{"license": {**_named(name), "acknowledgement": "declared"}} for name in licence.names]


def told(licence: Licence) -> list[Any]:
    """Return a licence for a record of JSON, which `known` reads."""
    return [licence.expression, list(licence.names)]


def known(told: Sequence[Any]) -> Licence:
    """Return the licence that a record holds."""
    return Licence(str(told[0]), tuple(told[1]))


def _named(name: str) -> Mapping[str, str]:
    spdx = _SPDX.get(name)
    return {"name": name} if spdx is None else {"id": spdx}


def _by_classifiers(classifiers: Iterable[str]) -> Iterator[str]:
    for text in classifiers:
        name = text.rpartition(" :: ")[2].strip()
        if text.startswith(_CLASSIFIER) and name not in _KINDS:
            yield name
