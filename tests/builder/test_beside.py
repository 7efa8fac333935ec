"""What goes on beside a build does not outlive its failure."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from castoff.builder import process
from castoff.builder.beside import Beside
from castoff.builder.errors import BuildError


def wait(fifo: Path) -> bytes:
    return process.run(["cat", fifo], cwd=fifo.parent, env={"PATH": "/bin:/usr/bin"}, task="wait")


def test_a_program_that_waits_is_ended_with_the_block(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    # Nobody ever writes to it.
    os.mkfifo(fifo)
    asked: list[Future[bytes]] = []

    def interrupted() -> None:
        with Beside() as beside:
            asked.extend(beside.submit(wait, fifo) for _ in range(2))
            while not process._running:
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with pytest.raises(BuildError, match=r"could not wait: cat failed with exit status -9"):
        asked[0].result(0)
    assert asked[1].cancelled()
    assert process._running == {}


def test_without_a_failure_all_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"said")
    with Beside() as beside:
        waiting = beside.submit(wait, file)
    assert waiting.result(0) == b"said"
