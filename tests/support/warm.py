"""The command line in a process of its own that has its modules from the start.

Importing them is most of the processor time of a short command, and the tests run thousands. So a
server imports them once in a run of the tests, and each command is a fork of that server
(`multiprocessing`'s forkserver), with the working directory, environment, streams and exit code
that the installed script would have. What is about the process itself starts the script.
"""

from __future__ import annotations

import functools
import importlib
import multiprocessing
import os
import pkgutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerContext
from pathlib import Path

# Not the provisioner: what it imports puts other threads in the place of Python's.
_PACKAGES = ("cli", "builder", "releaser", "store", "config")


def run(
    program: Path,
    words: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    timeout: float,
) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end, as `subprocess.run` would with its output captured.

    Args:
        program: The installed script, as the command is to know itself.
        words: What follows it.
        folder: The working directory.
        environment: All its variables.
        timeout: Seconds after which it is killed.

    Raises:
        subprocess.TimeoutExpired: It had to be killed.
    """
    argv = [str(program), *words]
    with tempfile.TemporaryDirectory(prefix="castoff-test-") as place:
        out, err = Path(place, "out"), Path(place, "err")
        process = context().Process(
            target=_castoff, args=(argv, str(folder), dict(environment), str(out), str(err))
        )
        process.start()
        process.join(timeout)
        code = process.exitcode
        if code is None:
            process.kill()
            process.join()
        said, complained = (path.read_text("utf-8") if path.exists() else "" for path in (out, err))
        process.close()
    if code is None:
        raise subprocess.TimeoutExpired(argv, timeout, said, complained)
    return subprocess.CompletedProcess(argv, code, said, complained)


@functools.cache
def context() -> ForkServerContext:
    """Return what starts processes that have Castoff's modules."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(_modules())
    return made


def _modules() -> list[str]:
    """Return all of Castoff's: commands import where they need them."""
    # With `__main__`, no command imports the main module of the tests again.
    names = ["__main__"]
    for package in _PACKAGES:
        place = importlib.import_module(f"castoff.{package}").__path__
        names += [one.name for one in pkgutil.walk_packages(place, f"castoff.{package}.")]
    return names


def _castoff(argv: list[str], folder: str, environment: dict[str, str], out: str, err: str) -> None:
    """Become the command; a child of the server starts here."""
    from castoff.cli.program import program

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    tempfile.tempdir = None
    streams = (
        (os.devnull, os.O_RDONLY),
        *((path, os.O_WRONLY | os.O_CREAT) for path in (out, err)),
    )
    for number, (path, flags) in enumerate(streams):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (for good)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(  # noqa: SIM115
        2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False
    )
    sys.argv = argv
    program()
