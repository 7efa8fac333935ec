"""Built-in steps: run their modules, which `load` has taken in."""

from __future__ import annotations

import importlib

from .errors import AgentError
from .records import is_complete, not_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .layout import Layout
    from .messages import Channel
    from .parameters import Parameters

_PACKAGE = __name__.rpartition(".")[0]


def perform(layout: Layout, channel: Channel, parameters: Parameters) -> dict[str, Any]:
    """Do what a built-in step asks for: `what` names its module in `builtins`.

    Raises:
        AgentError: `missing`: the release is not here. `invalid`: there is no such built-in. What
            the built-in raises.
    """
    version, kind = parameters.version("version"), parameters.text("what")
    if not is_complete(layout, version):
        raise not_here(version)
    if not kind.isidentifier() or kind.startswith("_"):
        raise AgentError("invalid", f"an unknown built-in step: {kind!r}")
    name = f"{_PACKAGE}.builtins.{kind}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise AgentError("invalid", f"an unknown built-in step: {kind!r}") from None
    result: dict[str, Any] = module.perform(layout, channel, parameters)
    return result
