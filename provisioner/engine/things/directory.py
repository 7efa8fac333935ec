"""A folder with its owner and its mode; what lies in it is left as it is."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from pyinfra.operations import files

from castoff.provisioner.engine.ask import ask
from castoff.provisioner.engine.options import Options


def commands(options: Options) -> Iterator[object]:
    """Yield what makes the folder as it should be."""
    owner = options.text("owner")
    yield from files.directory._inner(  # noqa: SLF001 (how operations of pyinfra use each other)
        path=options.text("path"),
        user=owner,
        group=options.get("group") or _own_group(owner),
        mode=options.text("mode"),
    )


def _own_group(owner: str) -> str:
    """Return the user's main group; one who is still to be made gets one of the same name."""
    return next(iter(ask(f"id -gn {shlex.quote(owner)} 2>/dev/null || true")), owner)
