"""Remove folders that are no longer wanted, while the build goes on."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from types import TracebackType


class Removal:
    """Removes folders beside what else is done; what cannot be removed is left there."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Removal:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait until all are removed."""
        for process in self._running:
            process.wait()

    def begin(self, *folders: Path) -> None:
        """Begin to remove folders with all that is in them, and return at once."""
        nowhere = subprocess.DEVNULL
        try:
            # In a process: a thread would have to wait for the interpreter after each file.
            process = subprocess.Popen(
                ["rm", "-rf", "--", *map(str, folders)],
                stdin=nowhere,
                stdout=nowhere,
                stderr=nowhere,
            )
        except OSError:
            for folder in folders:
                shutil.rmtree(folder, ignore_errors=True)
        else:
            self._running.append(process)
