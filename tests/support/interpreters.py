"""Other Pythons of this machine."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def interpreter(minor: int) -> str | None:
    """Return a working `python3.<minor>`: on PATH, or where pyenv keeps its own."""
    places = [shutil.which(f"python3.{minor}")]
    places += map(str, Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python3.{minor}"))
    for place in places:
        if (
            place
            and subprocess.run([place, "-c", ""], capture_output=True, check=False).returncode == 0
        ):
            return place
    return None


def free_threaded() -> str | None:
    """Return a working Python on PATH that has no global lock (PEP 703)."""
    for minor in (14, 13):
        place = shutil.which(f"python3.{minor}t")
        if place and subprocess.run([place, "-c", ""], check=False).returncode == 0:
            return place
    return None
