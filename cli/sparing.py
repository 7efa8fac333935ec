"""Commands that read no more than was given: an option left out is None, which needs no reading.

Typer 0.29 makes a pydantic validator for every parameter of a command, those too that were not
given, and pydantic takes longer to load than Typer itself.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


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
        if not (parameter.multiple or parameter.nargs == -1 or parameter.required):
            parameter.process_value = _passing_none(parameter)


def _passing_none(parameter: Any) -> Any:
    read = parameter.process_value

    def process_value(ctx: Any, value: Any) -> Any:
        if value is not None:
            return read(ctx, value)
        return None if parameter.callback is None else parameter.callback(ctx, parameter, None)

    return process_value
