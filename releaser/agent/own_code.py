"""The agent's own code, kept on the host so that it need not be sent nor compiled again."""

from __future__ import annotations

import os
import sys

from .durable import unique, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .layout import Layout

# What the loader knows of this start, where the agent was started from its text: the `digest` of
# that; the text itself where it `came` from the controller; what goes into a file of compiled code.
started: dict[str, Any] = {}
_PACKAGE = __name__.rpartition(".")[0]


def keep(layout: Layout) -> None:
    """Keep what came under its digest, in place of what an older controller sent.

    That it lies there is worth less than what else a disk could be needed for: whatever fails, it
    is sent again the next time. Whoever runs it then holds it against the digest.
    """
    came = started.get("came")
    if came is None:
        return
    from hashlib import sha256

    digest = sha256(came).hexdigest()
    try:
        os.makedirs(layout.agent, exist_ok=True)
        _write(layout, digest, came)
        for name in os.listdir(layout.agent):
            if name != digest:
                os.unlink(os.path.join(layout.agent, name))
    except OSError:
        return


def keep_compiled(layout: Layout) -> None:
    """Keep what Python made of the text, so that the next start need not compile it.

    Only where nobody else could change it: it is taken without a digest that the controller knows.
    As with the text, whatever fails is made anew the next time.
    """
    if "digest" not in started or sys.implementation.cache_tag is None:
        return
    import marshal

    loader: Any = sys.modules[_PACKAGE].__loader__
    try:
        if started["private"](layout.agent) is None:
            return
        # Built-in steps do not come with the agent, and may be others the next time.
        names = [name for name in loader.names() if not name.startswith("builtins.")]
        rest = marshal.dumps({name: marshal.dumps(loader.code(name)) for name in names})
        _write(layout, started["digest"] + started["suffix"], started["mark"](rest) + rest)
    except OSError:
        return


def _write(layout: Layout, name: str, data: bytes) -> None:
    temporary = unique(layout.staging, name)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        try:
            write_all(descriptor, data)
        finally:
            os.close(descriptor)
        os.rename(temporary, os.path.join(layout.agent, name))
    except BaseException:
        os.unlink(temporary)
        raise
