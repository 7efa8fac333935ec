"""What may stand at a place of castoff.toml, read from the models."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from castoff.config.errors import KeyPath
from castoff.config.model import Config


def keys_at(path: KeyPath) -> tuple[str, ...]:
    """Return the keys that the table at `path` knows; none if it is no table of fixed keys."""
    model = _model(_type_at(path))
    return tuple(model.model_fields) if model else ()


def choices_at(path: KeyPath) -> tuple[str, ...]:
    """Return the words that may stand at `path`; none if it is not a choice of words."""
    kind = _type_at(path)
    return get_args(kind) if get_origin(kind) is Literal else ()


def holds_tables(path: KeyPath) -> bool:
    """Whether `path` is an array of tables, written `[[...]]`."""
    kind = _type_at(path)
    return get_origin(kind) is tuple and _model(_bare(get_args(kind)[0])) is not None


def _type_at(path: KeyPath) -> Any:
    kind: Any = Config
    for part in path:
        model, arguments = _model(kind), get_args(kind)
        if model is not None:
            field = model.model_fields.get(str(part))
            kind = None if field is None else _bare(field.annotation)
        elif get_origin(kind) is dict:
            kind = _bare(arguments[1])
        elif get_origin(kind) is tuple:
            kind = _table(arguments[0]) or _bare(arguments[0])
        else:
            return None
    return kind


def _bare(kind: Any) -> Any:
    """Return a type without its constraints and without `None`."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return _bare(next(one for one in get_args(kind) if one is not types.NoneType))
    return kind


def _table(kind: Any) -> type[BaseModel] | None:
    """Return the model among the kinds that may stand in one place, if there is one."""
    if get_origin(kind) in (Annotated, Union, types.UnionType):
        parts = get_args(kind)
        found = (_table(part) for part in (parts[:1] if get_origin(kind) is Annotated else parts))
        return next((model for model in found if model is not None), None)
    return _model(kind)


def _model(kind: Any) -> type[BaseModel] | None:
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
