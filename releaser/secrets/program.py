"""A program that prints a secret: run to its end, and of what it says nothing is passed on."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from castoff.releaser.secrets.errors import NotFound


def printed(
    argv: Sequence[str],
    *,
    folder: Path,
    limit: float,
    variables: Mapping[str, str] | None = None,
    how_to_get: str = "",
) -> str:
    """Return what a program prints on standard output, without the line break at its end.

    What it says on standard error is not passed on: that may hold what it was about to print.

    Args:
        argv: The program and its arguments; no secret is ever among them.
        folder: Where it runs.
        limit: Seconds.
        variables: What it has beside the variables of this process.
        how_to_get: What to do where there is no such program.

    Raises:
        NotFound: There is no such program, it failed, did not end in time or prints no text.
    """
    name = argv[0]
    try:
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env={**os.environ, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # A process group of its own, which ends as a whole when the time is up; and no
            # terminal to ask for a passphrase on, which several would do at once.
            start_new_session=True,
        )
    except OSError as error:
        raise NotFound(f"{name} cannot be run: {error.strerror}", how_to_get) from error
    try:
        output, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired as error:
        raise NotFound(
            f"{name} did not end within {limit:g} s", "See what keeps it, or raise its `timeout`."
        ) from error
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode != 0:
        raise NotFound(
            f"{name} ended with status {process.returncode}",
            f"Run it by hand in {folder}: what it says is not shown here, since it may hold the "
            "secret.",
        )
    return text_of(output)


def readable(path: Path) -> str:
    """Return the path of a file as an argument of a program.

    Raises:
        NotFound: It cannot be read, which the program would say where nobody hears it.
    """
    try:
        with path.open("rb"):
            return str(path)
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}") from error


def text_of(data: bytes) -> str:
    """Return what a file holds, or a program has printed, as a secret.

    Raises:
        NotFound: It is no text in UTF-8.
    """
    try:
        return data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        # Without the cause: that holds the bytes.
        raise NotFound("it is not text in UTF-8") from None
