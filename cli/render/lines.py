"""One plain line for each thing that happens: for pipes, CI logs and the record."""

from __future__ import annotations

import sys
import threading
import time
from typing import TextIO


class LineWatch:
    """A watch that writes lines as `  3.2s web1  prepare  done in 1.4 s`."""

    def __init__(self, stream: TextIO | None = None, *, yes: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._yes = yes
        self._started = time.monotonic()
        self._lock = threading.Lock()

    def phase(self, name: str) -> None:
        """Write a heading."""
        self._write(f"== {name}")

    def begin(self, host: str, step: str) -> None:
        """Write nothing: the end says it all."""

    def progress(self, host: str, step: str, done: int, total: int) -> None:
        """Write nothing: a log is no place for a progress bar."""

    def output(self, host: str, step: str, text: str) -> None:
        """Write what a command printed, behind its host and step."""
        self._write(f"{host}  {step} | {text}")

    def end(self, host: str, step: str, seconds: float, error: str | None) -> None:
        """Write how a step ended."""
        if error is None:
            self._write(f"{host}  {step}  done in {seconds:.1f} s")
        else:
            self._write(f"{host}  {step}  FAILED after {seconds:.1f} s: {error}")

    def note(self, text: str) -> None:
        """Write a remark."""
        self._write(f"note: {text}")

    def ask(self, question: str) -> bool:
        """Say what was decided in advance: nobody can be asked here."""
        if self._yes:
            self._write(f"{question} Yes (--yes)")
            return True
        self._write(f"{question} Nobody can be asked here; `--yes` answers in advance.")
        return False

    def _write(self, text: str) -> None:
        with self._lock:
            self._stream.write(f"{time.monotonic() - self._started:6.1f}s  {text}\n")
            self._stream.flush()
