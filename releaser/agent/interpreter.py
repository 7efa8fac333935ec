"""Find the Python on this host that the app will run with."""

from __future__ import annotations

import os
import sys

from .errors import AgentError
from .specifier import fits
from .target import Target

_LIMIT = 10.0
_ASK = "import sys; print(*sys.version_info[:3], sys.executable)"
_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


def choose(target: Target, given: str | None) -> str | None:
    """Return the path of the first interpreter that fits, each tried by running it if need be.

    Args:
        target: What the release needs.
        given: The one that the configuration names, by path or name; then no other is tried.

    Returns:
        The path that the interpreter itself reports; None if the release needs no Python.

    Raises:
        AgentError: `python`, with what was found instead.
    """
    if not target.python:
        return None
    names = [given] if given else [f"python{_dotted(target.python[:2])}", "python3"]
    found = []
    for name in names:
        path = find_program(name)
        answer = None if path is None else _ask(path)
        if path is None:
            found.append(f"{name}: not found")
        elif answer is None:
            found.append(f"{path}: does not run")
        elif _accepts(target, answer[0]):
            return answer[1] or path
        else:
            found.append(f"{path}: {_dotted(answer[0])}")
    raise AgentError(
        "python",
        f"no interpreter for the app: needs Python {_wanted(target)}; found {', '.join(found)}",
        "Install it on the host, or name its path with `python` in castoff.toml.",
    )


def _accepts(target: Target, version: tuple[int, ...]) -> bool:
    allowed = fits(version, target.requires_python) if target.requires_python else None
    if target.exact_python:
        return version[:2] == target.python[:2] and allowed is not False
    return version[:2] >= target.python[:2] if allowed is None else allowed


def _wanted(target: Target) -> str:
    minor = _dotted(target.python[:2])
    if target.exact_python:
        also = f" and {target.requires_python}" if target.requires_python else ""
        return f"{minor} (its extensions are compiled for it){also}"
    return target.requires_python or f">={minor}"


def find_program(name: str) -> str | None:
    """Return the path of a program that the user who releases can run, or None."""
    if "/" in name:
        path = os.path.expanduser(name)
        return path if os.access(path, os.X_OK) and os.path.isfile(path) else None
    for folder in os.environ.get("PATH", _DEFAULT_PATH).split(":"):
        path = os.path.join(folder, name)
        if os.path.isabs(path) and os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    return None


def _ask(path: str) -> tuple[tuple[int, ...], str] | None:
    if os.path.isabs(path) and os.path.realpath(path) == os.path.realpath(sys.executable):
        # The very program that runs here need not be started once more to be known.
        return sys.version_info[:3], path
    import subprocess

    try:
        done = subprocess.run(
            [path, "-I", "-S", "-c", _ASK],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_LIMIT,
            check=True,
            cwd="/",
        )
        major, minor, micro, executable = done.stdout.decode().rstrip("\n").split(" ", 3)
        version = (int(major), int(minor), int(micro))
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return version, executable if os.path.isabs(executable) else ""


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in version)
