"""A thing's options as the engine reads them: what is of another kind is a defect of ours."""

from __future__ import annotations

from collections.abc import Mapping


class Options:
    """One thing's options, which `castoff.provisioner.describe` has written."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def get(self, name: str) -> str | None:
        """Return a text that need not be there."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            raise TypeError(name)
        return value

    def text(self, name: str) -> str:
        """Return a text."""
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def texts(self, name: str) -> list[str]:
        """Return a list of texts."""
        value = self._values[name]
        if not isinstance(value, list):
            raise TypeError(name)
        return [str(one) for one in value]

    def flag(self, name: str) -> bool:
        """Return a truth."""
        return bool(self._values[name])
