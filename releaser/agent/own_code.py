"""The agent's own code, kept on the host so that it need not be sent nor compiled again."""

from __future__ import annotations

import sys

from .kept_code import keep_code, keep_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .layout import Layout

# What the loader knows of this start, where the agent was started from its text: the `digest` of
# that; the text itself where it `came` from the controller.
started: dict[str, Any] = {}
_PACKAGE = __name__.rpartition(".")[0]


def keep(layout: Layout) -> None:
    """Keep what came under its digest, in place of what an older controller sent."""
    came = started.get("came")
    if came is None:
        return
    from hashlib import sha256

    keep_text(layout, layout.agent, sha256(came).hexdigest(), came)


def keep_compiled(layout: Layout) -> None:
    """Keep what Python made of the text, so that the next start need not compile it."""
    if "digest" not in started:
        return
    import marshal

    loader: Any = sys.modules[_PACKAGE].__loader__
    # Built-in steps do not come with the agent, and may be others the next time.
    names = [name for name in loader.names() if not name.startswith("builtins.")]
    codes = {name: marshal.dumps(loader.code(name)) for name in names}
    keep_code(layout, layout.agent, started["digest"], codes)
