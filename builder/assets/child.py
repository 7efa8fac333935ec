"""A program run to its end, or stopped with all that it has started."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from castoff.builder.assets.errors import AssetError
from castoff.builder.orphans import ending_with_us

_LAST_LINES = 20


@dataclass(frozen=True)
class Finished:
    """How a program ended.

    Attributes:
        code: Its exit code.
        output: What it said on both of its outputs, in order.
    """

    code: int
    output: str

    @property
    def last_words(self) -> str:
        """The end of the output, for a message."""
        return "\n".join(self.output.strip().splitlines()[-_LAST_LINES:])


def run(
    command: Sequence[str], *, shown: str, folder: Path, env: Mapping[str, str], timeout: float
) -> Finished:
    """Run a program without input.

    Args:
        command: Its argv.
        shown: What messages call it.
        folder: Where it runs.
        env: Its whole environment.
        timeout: Seconds; after that it is killed, and its children with it.

    Raises:
        AssetError: It cannot be started, or takes too long.
    """
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            # A group of its own: killing npm alone would leave its scripts running.
            start_new_session=True,
        )
    except OSError as error:
        raise AssetError(f"{command[0]} cannot be run: {error.strerror}") from error
    with process, ending_with_us(process.pid):
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise AssetError(f"{shown} did not end in {timeout:g} s") from error
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return Finished(process.returncode, output)
