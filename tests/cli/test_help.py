"""`castoff --help`: what somebody looks at who does not know yet which command it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from castoff.cli.summaries import MODULES, SECTIONS, SUMMARIES


def test_every_command_is_in_one_section_and_told_of_in_full_on_80_columns() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("castoff"), "--help"],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "80"},
    )
    lines = [line.strip() for line in done.stdout.splitlines()]
    for section in SECTIONS:
        assert f"{section}:" in lines
    for name, summary in SUMMARIES.items():
        assert [line for line in lines if line.split()[:1] == [name]] == [
            line for line in lines if line.startswith(f"{name} ") and line.endswith(summary)
        ]
    assert sum(map(len, SECTIONS.values())) == len(MODULES)
    assert "..." not in done.stdout.partition("Set up:")[2]
