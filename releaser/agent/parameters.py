"""A request's parameters, each checked for its type where it is taken out."""

from __future__ import annotations

import re

from .errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,63}")


def is_version(text: str) -> bool:
    """Whether `text` may name a release's directory (the rule of store/version.py)."""
    return _VERSION.fullmatch(text) is not None


class Parameters:
    """The parameters of one request. Every method raises AgentError `invalid`."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def get(self, name: str) -> Any:
        """Return a value as it came, None if absent; for the journal, which judges nothing."""
        return self._values.get(name)

    def having(self, name: str, value: object) -> Parameters:
        """Return the same parameters and one more, of a type that no request can bring."""
        return Parameters({**self._values, name: value})

    def forget(self, name: str) -> None:
        """Let go of a long value that was taken out."""
        self._values.pop(name, None)

    def text(self, name: str) -> str:
        """Return a string without NUL."""
        value = self._values.get(name)
        if not isinstance(value, str) or "\0" in value:
            raise _invalid(name, "a text")
        return value

    def text_or_none(self, name: str) -> str | None:
        """Return a string, or None if it is null or absent."""
        return None if self._values.get(name) is None else self.text(name)

    def version(self, name: str) -> str:
        """Return a version."""
        value = self.text(name)
        if not is_version(value):
            raise _invalid(name, "a version")
        return value

    def version_or_none(self, name: str) -> str | None:
        """Return a version, or None if it is null or absent."""
        return None if self._values.get(name) is None else self.version(name)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Return one of some texts."""
        value = self.text(name)
        if value not in choices:
            raise _invalid(name, " or ".join(choices))
        return value

    def choice_or_none(self, name: str, choices: tuple[str, ...]) -> str | None:
        """Return one of some texts, or None if it is null or absent."""
        return None if self._values.get(name) is None else self.choice(name, choices)

    def whole(self, name: str, default: int | None = None) -> int:
        """Return an integer that is not negative."""
        value = self._values.get(name, default)
        if type(value) is not int or value < 0:
            raise _invalid(name, "a whole number")
        return value

    def seconds(self, name: str) -> float:
        """Return a number of seconds that is not negative."""
        value = self._values.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _invalid(name, "a number of seconds")
        if not 0 <= value < float("inf"):
            raise _invalid(name, "a number of seconds that is finite and not negative")
        return float(value)

    def flag(self, name: str) -> bool:
        """Return a boolean, false if absent."""
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise _invalid(name, "true or false")
        return value

    def texts_or_none(self, name: str) -> list[str]:
        """Return a list of strings without NUL, empty if it is null or absent."""
        return [] if self._values.get(name) is None else self.texts(name)

    def texts(self, name: str) -> list[str]:
        """Return a list of strings without NUL."""
        value = self._values.get(name)
        if not isinstance(value, list) or any(
            not isinstance(item, str) or "\0" in item for item in value
        ):
            raise _invalid(name, "a list of texts")
        return value

    def variables(self, name: str) -> dict[str, str]:
        """Return an object of strings."""
        value = self._values.get(name)
        if not isinstance(value, dict) or any(
            not isinstance(item, str) or not key or "=" in key or "\0" in key + item
            for key, item in value.items()
        ):
            raise _invalid(name, "an object of texts")
        return value

    def variables_or_none(self, name: str) -> dict[str, str]:
        """Return an object of strings, empty if it is null or absent."""
        return {} if self._values.get(name) is None else self.variables(name)

    def each_or_none(self, name: str) -> list[Parameters]:
        """Return a list of objects, empty if it is null or absent."""
        return [] if self._values.get(name) is None else self.each(name)

    def each(self, name: str) -> list[Parameters]:
        """Return a list of objects."""
        value = self._values.get(name)
        if not isinstance(value, list) or any(not isinstance(item, dict) for item in value):
            raise _invalid(name, "a list of objects")
        return [Parameters(item) for item in value]

    def within(self, name: str) -> Parameters | None:
        """Return an object, or None if it is null or absent."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise _invalid(name, "an object")
        return Parameters(value)

    def part(self, name: str) -> Parameters:
        """Return an object that has to be there.

        Raises:
            AgentError: `invalid`: it is not.
        """
        found = self.within(name)
        if found is None:
            raise _invalid(name, "an object")
        return found


def _invalid(name: str, wanted: str) -> AgentError:
    return AgentError("invalid", f"the request's {name!r} must be {wanted}")
