"""Code that came from the controller, kept on the host so that it need not be sent again.

That it lies there is worth less than what else a disk could be needed for: whatever fails, it is
sent or compiled again the next time.
"""

from __future__ import annotations

import os

from .durable import unique, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .layout import Layout


def keep_text(layout: Layout, folder: str, digest: str, text: bytes) -> None:
    """Keep a text under its digest, in place of all that an older controller sent.

    Whoever runs it then holds it against the digest.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        _write(layout, os.path.join(folder, digest), text)
        for name in os.listdir(folder):
            if name != digest:
                os.unlink(os.path.join(folder, name))
    except OSError:
        return


def keep_code(layout: Layout, folder: str, digest: str, codes: Mapping[str, bytes]) -> None:
    """Keep what Python made of the text with that digest.

    Only where nobody else could change it: it is taken without a digest that the controller knows.
    """
    import marshal
    import sys

    from .loader import COMPILED, mark, private

    try:
        if private(folder) is None or sys.implementation.cache_tag is None:
            return
        rest = marshal.dumps(dict(codes))
        _write(layout, os.path.join(folder, digest + COMPILED), mark(rest) + rest)
    except OSError:
        return


def _write(layout: Layout, path: str, data: bytes) -> None:
    temporary = unique(layout.staging, os.path.basename(path))
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        try:
            write_all(descriptor, data)
        finally:
            os.close(descriptor)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
