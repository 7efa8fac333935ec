"""A group of commands whose help lists them by what people are about."""

from __future__ import annotations

from typing import Any

from castoff.cli.sparing import SparingGroup
from castoff.cli.summaries import SECTIONS


class Sections(SparingGroup):
    """The root of the command line."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands with a heading for each section, and each with its whole summary."""
        for title, names in SECTIONS.items():
            commands = [name for name in names if name in self.list_commands(ctx)]
            if commands:
                with formatter.section(title):
                    formatter.write_dl([(name, names[name][1]) for name in commands], col_spacing=2)
