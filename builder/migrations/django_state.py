"""Models as migrations leave them, as far as their fields are written out in operations."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FieldState:
    """A field: as it is written, and the identifier of the migration that made it."""

    call: ast.Call | None
    made_by: str


@dataclass(slots=True)
class ModelState:
    """A model: its fields, and the identifier of the migration that made it."""

    made_by: str
    fields: dict[str, FieldState] = field(default_factory=dict)


Models = dict[str, ModelState]


def merged(states: list[Models]) -> Models:
    """Return what models are after several migrations; later ones win. Nothing is shared."""
    found: Models = {}
    for state in states:
        for name, model in state.items():
            known = found.get(name)
            fields = {**(known.fields if known is not None else {}), **model.fields}
            found[name] = ModelState(model.made_by, fields)
    return found
