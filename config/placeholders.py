"""Placeholders in texts of castoff.toml: `{name}`, where something is filled in later."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from castoff.config.nearest import nearest

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NOT_OF_A_SHELL = re.compile(rf"(?<!\$){_PLACEHOLDER.pattern}")


def names_in(text: str) -> tuple[str, ...]:
    """Return the names of a text's placeholders, in their order."""
    return tuple(_PLACEHOLDER.findall(text))


def filled(text: str, values: Mapping[str, object]) -> str:
    """Return a text with its placeholders filled in; what is filled in is not looked at again.

    Raises:
        KeyError: There is no value of a placeholder's name.
    """
    return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), text)


def filled_as_known(text: str, values: Mapping[str, object]) -> str:
    """Return a text as `filled` does, as far as what stands in braces has a value.

    JSON has braces of its own, and so has a shell: `${NAME}` stays as it is.
    """
    return _NOT_OF_A_SHELL.sub(lambda match: str(values.get(match[1], match[0])), text)


def only(*known: str) -> Callable[[str], str]:
    """Return a validator of texts whose placeholders are among these."""

    def check(text: str) -> str:
        for name in names_in(text):
            if name not in known:
                guess = nearest(name, known)
                meant = f"; did you mean {{{guess}}}?" if guess else ""
                these = ", ".join(f"{{{one}}}" for one in known)
                raise ValueError(f"{{{name}}} stands for nothing; there are {these}{meant}")
        return text

    return check
