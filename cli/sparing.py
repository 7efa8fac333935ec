"""Commands that read no more than was given, and plain words without a validator.

Typer 0.29 makes a pydantic validator for every parameter of a command, those too that were not
given, and pydantic takes longer to load than Typer itself. An option left out is None, which needs
no reading; a word that is wanted as a text, a path or a small number is read here. All else, and
all that is wrong, goes the way of Typer, whose messages those are.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from typer.core import TyperCommand, TyperGroup

# Digits of a number that is small enough for anybody.
_DIGITS = 9


class SparingCommand(TyperCommand):
    """A command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words of a call."""
        spare(self.get_params(ctx))
        return super().parse_args(ctx, args)


class SparingGroup(TyperGroup):
    """A group of commands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words of a call."""
        spare(self.get_params(ctx))
        return super().parse_args(ctx, args)


def spare(parameters: list[Any]) -> None:
    """Let each parameter that may be left out, and is, go by without being validated."""
    for parameter in parameters:
        if not (parameter.multiple or parameter.nargs != 1):
            parameter.process_value = _sparing(parameter)


def _sparing(parameter: Any) -> Any:
    read = parameter.process_value

    def process_value(ctx: Any, value: Any) -> Any:
        plain = None if parameter.required and value is None else _plain(parameter, value)
        if plain is None and (value is not None or parameter.required):
            return read(ctx, value)
        return plain if parameter.callback is None else parameter.callback(ctx, parameter, plain)

    return process_value


def _plain(parameter: Any, value: object) -> str | Path | int | None:
    """Return what Typer makes of a word, where that is easily said; else None."""
    described = parameter.type_descriptor
    info, kind = described.parameter_info, described.annotation
    if not isinstance(value, str) or not value.isprintable() or info.parser is not None:
        return None
    if kind is str:
        return value
    if kind is int:
        low, high = info.min, info.max
        if not (value.isascii() and value.isdecimal() and len(value) <= _DIGITS) or info.clamp:
            return None
        number = int(value)
        fits = (low is None or number >= low) and (high is None or number <= high)
        return number if fits else None
    if kind is not Path or info.exists or info.allow_dash or info.resolve_path or info.path_type:
        return None
    wanted = info.file_okay and info.dir_okay and not info.writable and os.access(value, os.R_OK)
    return Path(value) if wanted else None
