"""The agent's own code, kept on the host so that it need not be sent again."""

from __future__ import annotations

import os

from .durable import unique, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .layout import Layout

# What the controller has sent to start this agent; None where the host had it.
came: bytes | None = None


def keep(layout: Layout) -> None:
    """Keep what came under its digest, in place of what an older controller sent.

    That it lies there is worth less than what else a disk could be needed for: whatever fails, it
    is sent again the next time. Whoever runs it then holds it against the digest.
    """
    if came is None:
        return
    from hashlib import sha256

    digest = sha256(came).hexdigest()
    try:
        os.makedirs(layout.agent, exist_ok=True)
        temporary = unique(layout.staging, digest)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            write_all(descriptor, came)
        finally:
            os.close(descriptor)
        os.rename(temporary, os.path.join(layout.agent, digest))
        for name in os.listdir(layout.agent):
            if name != digest:
                os.unlink(os.path.join(layout.agent, name))
    except OSError:
        return
