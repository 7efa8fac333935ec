"""Find the Python on this host that the app will run with."""

from __future__ import annotations

import os
import sys

from .errors import AgentError
from .named_tuple import NamedTuple
from .specifier import fits
from .target import Target

_LIMIT = 10.0
# The last number is followed by a `t` if there is no global lock (PEP 703).
_ASK = (
    "import sys; free = 't' if 't' in sys.abiflags else ''; "
    "print(*sys.version_info[:2], str(sys.version_info[2]) + free, sys.executable)"
)
_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


class _Found(NamedTuple):
    """What an interpreter says of itself.

    Attributes:
        free: Whether it has no global lock, and so an ABI of its own.
        path: Its own path; may be empty.
    """

    version: tuple[int, ...]
    free: bool
    path: str

    def __str__(self) -> str:
        return _dotted(self.version) + ("t" if self.free else "")


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
    names = [given] if given else _names(target)
    found = []
    for name in names:
        path = find_program(name)
        answer = None if path is None else _ask(path)
        if path is None:
            found.append(f"{name}: not found")
        elif answer is None:
            found.append(f"{path}: does not run")
        elif _accepts(target, answer):
            return answer.path or path
        else:
            found.append(f"{path}: {answer}")
    raise AgentError(
        "python",
        f"no interpreter for the app: needs Python {_wanted(target)}; found {', '.join(found)}",
        "Install it on the host, or name its path with `python` in castoff.toml.",
    )


def _names(target: Target) -> list[str]:
    name = f"python{_dotted(target.python[:2])}"
    return [*([name + "t"] if _needs_free(target) else []), name, "python3"]


def _needs_free(target: Target) -> bool:
    return target.abi.endswith("t")


def _accepts(target: Target, found: _Found) -> bool:
    if (target.exact_python or target.abi) and found.free != _needs_free(target):
        return False
    version = found.version
    allowed = fits(version, target.requires_python) if target.requires_python else None
    if target.exact_python:
        return version[:2] == target.python[:2] and allowed is not False
    return version[:2] >= target.python[:2] if allowed is None else allowed


def _wanted(target: Target) -> str:
    minor = _dotted(target.python[:2])
    if target.exact_python:
        also = f" and {target.requires_python}" if target.requires_python else ""
        free = "t" if _needs_free(target) else ""
        return f"{minor}{free} (its extensions are compiled for it){also}"
    lock = " with a global lock (for its extensions)" if target.abi else ""
    return (target.requires_python or f">={minor}") + lock


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


def _ask(path: str) -> _Found | None:
    if os.path.isabs(path) and os.path.realpath(path) == os.path.realpath(sys.executable):
        # The very program that runs here need not be started once more to be known.
        return _Found(sys.version_info[:3], "t" in sys.abiflags, path)
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
        version = (int(major), int(minor), int(micro.rstrip("t")))
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return _Found(version, micro.endswith("t"), executable if os.path.isabs(executable) else "")


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in version)
