"""An index of packages on this machine, for hosts and for builds: nobody asks the internet."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from build_project.contenders import fetch_wheels

from common.hosts import free_ports
from common.listening import until_it_listens


def make_index(folder: Path, locks: Sequence[str]) -> Path:
    """Fetch the wheels that some locks name for this Python, and lay them out as an index.

    A folder a project is all that the simple API needs, where the web server lists folders.

    Args:
        folder: A new one.
        locks: Lock files' texts.

    Returns:
        The index's root.

    Raises:
        Unavailable: Something cannot be had.
    """
    folder.mkdir()
    simple = folder / "simple"
    for number, text in enumerate(locks):
        lock, wheels = folder / f"{number}.txt", folder / f"wheels-{number}"
        lock.write_text(text)
        fetch_wheels(lock, wheels)
        for wheel in wheels.iterdir():
            project = simple / wheel.name.partition("-")[0].replace("_", "-").lower()
            project.mkdir(parents=True, exist_ok=True)
            shutil.move(wheel, project / wheel.name)
    return folder


@contextmanager
def served(root: Path, address: str) -> Iterator[str]:
    """Serve an index on an address of this machine; yield its URL."""
    port = free_ports(1)[0]
    argv = [sys.executable, "-m", "http.server", "--bind", address, "--directory", str(root)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        [*argv, "--protocol", "HTTP/1.1", str(port)], stdin=quiet, stdout=quiet, stderr=quiet
    ) as process:
        try:
            until_it_listens(address, port, "the index")
            yield f"http://{address}:{port}/simple"
        finally:
            process.terminate()
