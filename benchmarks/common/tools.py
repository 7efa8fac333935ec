"""Get the tools that a benchmark compares with: pinned, out of the way of everything else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

from common.hosts import REPOSITORY

_CACHE = Path.home() / ".cache" / "castoff-benchmarks"


class Unavailable(Exception):
    """A tool that cannot be had here; the message says why."""


def python_tool(*requirements: str) -> Path:
    """Install packages of one tool into a virtual environment of its own, once.

    Args:
        requirements: Pinned with `==`; the first one names the environment.

    Returns:
        The environment's `bin`.

    Raises:
        Unavailable: They cannot be installed.
    """
    environment = _CACHE / requirements[0].replace("==", "-")
    done = environment / "done"
    if not done.exists():
        uv = find_uv_bin()
        _run([uv, "venv", "-q", "--clear", "-p", sys.executable, str(environment)])
        python = str(environment / "bin" / "python")
        _run([uv, "pip", "install", "-q", "--compile-bytecode", "-p", python, *requirements])
        done.touch()
    return environment / "bin"


def debian_tool(program: str, package: str) -> str:
    """See that a program of a Debian package is there; as root it is installed.

    Returns:
        The package's version.

    Raises:
        Unavailable: It is not there and cannot be installed.
    """
    if shutil.which(program) is None:
        _run([str(REPOSITORY / "scripts" / "debian-packages"), package])
    shown = ["dpkg-query", "--show", "--showformat", "${Version}", package]
    return subprocess.run(shown, check=False, capture_output=True, text=True).stdout


def _run(argv: list[str]) -> None:
    try:
        subprocess.run(argv, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise Unavailable(f"{argv[0]} is not installed") from None
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout).strip().splitlines()[-1:]
        raise Unavailable(
            f"`{Path(argv[0]).name} {' '.join(argv[1:4])} …` failed: {' '.join(last)}"
        ) from None
