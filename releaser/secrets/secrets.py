"""Secrets that were found, and the one way in which they are kept out of what people may read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from castoff.releaser.secrets.forms import LEAST, base64_forms, forms

HIDDEN = "***"
# How a text in Base64 ends; of the character before it a secret decides a part.
_PADDING = "(?:[A-Za-z0-9+/_-]?={1,2})?"


class Secrets(Mapping[str, str]):
    """Values by their names, which show themselves to nobody who does not ask for one."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = dict(values or {})
        found: dict[str, str] = {}
        for value in self._values.values():
            found.update({form: re.escape(form) + _PADDING for form in base64_forms(value)})
            found.update({form: re.escape(form) for form in forms(value)})
        # The longest first: a form that holds another is to be replaced as a whole.
        ordered = sorted(found, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(found[form] for form in ordered))
        self._beginnings = frozenset(form[:LEAST] for form in ordered)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values))

    def __repr__(self) -> str:
        """Return the names alone: tracebacks and failed comparisons print this."""
        return f"Secrets({', '.join(sorted(self._values))})"

    def only(self, names: Iterable[str]) -> dict[str, str]:
        """Return the values of some names.

        Raises:
            KeyError: One of them was not found before the run began.
        """
        return {name: self._values[name] for name in names}

    def redact(self, text: str) -> str:
        """Return a text with `***` for each secret, and for each of the forms it is printed in."""
        # Where no form even begins, which is nearly everywhere, the pattern need not look: it tries
        # hundreds of forms at each place.
        last = len(text) - LEAST + 1
        if self._beginnings.isdisjoint(text[at : at + LEAST] for at in range(last)):
            return text
        return self._pattern.sub(HIDDEN, text)


NONE = Secrets()
