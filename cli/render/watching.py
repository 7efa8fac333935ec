"""Which watch fits where standard error goes: a live table on a terminal, else plain lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from castoff.releaser.watch import Watch


@contextmanager
def watching(hosts: list[str], title: str, *, yes: bool = False) -> Iterator[Watch]:
    """Yield the watch to hand to a release; standard output stays free for results.

    Args:
        hosts: The hosts that have a line in a live table, in their order.
        title: What is done to them.
        yes: Whether questions are answered with yes, unasked.
    """
    if sys.stderr.isatty() and not os.environ.get("CI"):
        from rich.console import Console

        from castoff.cli.render.live import LiveWatch

        with LiveWatch(hosts, title, Console(stderr=True), yes=yes) as live:
            yield live
        return
    from castoff.cli.render.lines import LineWatch

    yield LineWatch(yes=yes)


def stdout_console() -> Console:
    """Return a console for tables; in a pipe it is as wide as the table needs, without colour."""
    from rich.console import Console

    if sys.stdout.isatty():
        return Console()
    return Console(width=10_000, no_color=True, highlight=False)
