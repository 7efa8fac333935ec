"""Tuples with named fields, declared as by `typing.NamedTuple`, without `typing`.

To load that takes a host as long as all of the agent's own modules that a release needs.
"""

from __future__ import annotations

from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NamedTuple
else:

    class _Declared(type):
        """Makes a class of fields a tuple, as `collections.namedtuple` makes those."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            del bases
            fields = body.pop("__annotations__", {})
            defaults = [body.pop(field) for field in fields if field in body]
            made = namedtuple(name, fields, defaults=defaults, module=body["__module__"])  # noqa: PYI024 (this is what makes the other)
            for key, value in body.items():
                setattr(made, key, value)
            return made

    NamedTuple = type.__new__(_Declared, "NamedTuple", (), {})

__all__ = ["NamedTuple"]
