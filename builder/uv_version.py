"""Which uv it is that installs."""

from __future__ import annotations

from pathlib import Path

from castoff.builder.interpreter import uv
from castoff.builder.process import run


def uv_version(work: Path) -> str:
    """Return the version of uv.

    Args:
        work: The build's own folder.

    Raises:
        BuildError: It does not run.
    """
    return run([uv(), "--version"], cwd=work, env={}, task="run uv").decode().split()[1]
