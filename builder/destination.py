"""What a release is built for: the machine that builds it, or what castoff.toml declares."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from castoff.builder.errors import BuildError
from castoff.builder.interpreter import Interpreter, find_interpreter
from castoff.config.app_tables import BuildTarget
from castoff.store.manifest import Target

# What uv's --python-platform knows for x86_64 and aarch64, beside musl. A wheel for an older glibc
# than the declared one runs there too, so the nearest below is asked for.
_FLOORS = ((2, 17), (2, 28), *((2, minor) for minor in range(31, 41)))
_GLIBC = (2, 28)
_MUSL = (1, 2)


@dataclass(frozen=True, slots=True)
class Platform:
    """A declared platform, for which only wheels are installed.

    Attributes:
        python: The interpreter's version, `3.12` or `3.12.4`.
        machine: `x86_64` or `aarch64`.
        glibc: The glibc that hosts have at least; None if theirs is musl.
        musl: The same for musl.
        free_threaded: Whether their interpreter has no global lock (PEP 703).
    """

    python: str
    machine: str
    glibc: tuple[int, int] | None
    musl: tuple[int, int] | None
    free_threaded: bool = False

    @property
    def minor(self) -> str:
        """Major and minor version of Python, `3.12`."""
        return ".".join(self.python.split(".")[:2])

    @property
    def abis(self) -> tuple[str, ...]:
        """The ABI tags of wheels that run there, the best first."""
        number = self.minor.replace(".", "")
        return (f"cp{number}t", "none") if self.free_threaded else (f"cp{number}", "abi3", "none")

    @property
    def name(self) -> str:
        """The platform as uv calls it."""
        if self.glibc is None:
            return f"{self.machine}-unknown-linux-musl"
        floor = max(one for one in _FLOORS if one <= self.glibc)
        return f"{self.machine}-manylinux_{floor[0]}_{floor[1]}"

    @property
    def tags(self) -> tuple[str, ...]:
        """The platform tags of wheels that run there, the best first (PEP 600, PEP 656)."""
        if self.glibc is None:
            major, minor = self.musl or _MUSL
            return tuple(f"musllinux_{major}_{n}_{self.machine}" for n in range(minor, -1, -1))
        least = 4 if self.machine == "x86_64" else 16
        tags = [f"manylinux_2_{n}_{self.machine}" for n in range(self.glibc[1], least, -1)]
        old = {"manylinux2014": 17, "manylinux2010": 12, "manylinux1": 5}
        tags += [f"{name}_{self.machine}" for name, n in old.items() if least < n <= self.glibc[1]]
        return tuple(tags)

    def __str__(self) -> str:
        """Return it for people."""
        libc, version = ("musl", self.musl) if self.glibc is None else ("glibc", self.glibc)
        number = ".".join(str(part) for part in version or ())
        free = "t" if self.free_threaded else ""
        return f"Python {self.python}{free} on {self.machine} with {libc} {number}"


@dataclass(frozen=True, slots=True)
class Destination:
    """What a release is built for, and which interpreter stands in for it here.

    Attributes:
        interpreter: The Python of the hosts: its version, its markers. Its path is the runner's.
        runner: The interpreter that back ends and tools run on here.
        platform: What castoff.toml declares; None if hosts are like this machine.
        musl: Whether the hosts' C library is musl.
    """

    interpreter: Interpreter
    runner: Interpreter
    platform: Platform | None
    musl: bool

    @property
    def compiles(self) -> bool:
        """Whether the runner writes the byte code that the hosts' Python reads."""
        return self.interpreter.version == self.runner.version

    @property
    def here(self) -> bool:
        """Whether what is compiled on this machine runs there."""
        return self.compiles and self.interpreter.machine == self.runner.machine

    def key(self) -> dict[str, str]:
        """Return what decides which files are installed, for the key of a cache."""
        return {
            **_deciding(self.interpreter.markers),
            # To the last digit: what uv rounds, pip does not.
            "platform": "" if self.platform is None else str(self.platform),
            "free_threaded": "yes" if self.interpreter.free_threaded else "",
            # What is built from source is linked with it.
            "libc": "" if self.platform else _glibc(),
        }


def find_destination(
    target: BuildTarget | None, python: str | None, *, cwd: Path, env: Mapping[str, str]
) -> Destination:
    """Return what castoff.toml asks for.

    Args:
        target: `[apps.NAME.build.target]`; None means hosts like this machine.
        python: The interpreter to build with, as `find_interpreter` takes it.
        cwd: Where relative paths start.
        env: The tools' environment.

    Raises:
        BuildError: The interpreter named by `python` is not there, or does not run, or no
            interpreter here has a global lock where that of the hosts has none, or the reverse.
    """
    if target is None:
        runner = find_interpreter(python, cwd=cwd, env=env)
        return Destination(runner, runner, None, musl=not _glibc())
    runner = _runner(target, python, cwd=cwd, env=env)
    platform = _platform(target, runner)
    if platform.free_threaded != runner.free_threaded:
        raise _other_lock(platform, runner)
    return Destination(
        interpreter=replace(
            runner,
            markers=_markers(platform, runner),
            free_threaded=platform.free_threaded,
        ),
        runner=runner,
        platform=platform,
        musl=platform.glibc is None,
    )


def check_reached(target: Target, platform: Platform | None) -> None:
    """See that a release needs no more than what was declared.

    Args:
        target: What was found in its tree.
        platform: What castoff.toml declares.

    Raises:
        BuildError: It needs a later C library, or another one.
    """
    if platform is None:
        return
    for name, needed, given in (
        ("glibc", target.glibc, platform.glibc),
        ("musl", target.musl, platform.musl),
    ):
        if needed and (given is None or _pair(needed) > given):
            raise BuildError(
                f"the release needs {name} {needed}, and was to be for {platform}",
                hint="It is a file that was compiled here, or a wheel of the lock: see the target "
                "without [apps.NAME.build.target], with `castoff inspect`.",
            )


def _runner(
    target: BuildTarget, python: str | None, *, cwd: Path, env: Mapping[str, str]
) -> Interpreter:
    """Return an interpreter of the target's version if there is one, else Castoff's own."""
    if python is not None or target.python is None:
        return find_interpreter(python, cwd=cwd, env=env)
    own = find_interpreter(None, cwd=cwd, env=env)
    free = target.python.endswith("t")
    minor = ".".join(target.python.rstrip("t").split(".")[:2])
    if (own.version, own.free_threaded) == (minor, free):
        return own
    try:
        return find_interpreter(f"{minor}{'t' if free else ''}", cwd=cwd, env=env)
    except BuildError:
        return own


def _other_lock(platform: Platform, runner: Interpreter) -> BuildError:
    kind = "a free-threaded Python" if platform.free_threaded else "a Python with a global lock"
    wanted = f"{platform.minor}{'t' if platform.free_threaded else ''}"
    return BuildError(
        f"{platform}: wheels for it are chosen by {kind}, and {runner.path} is none",
        hint=f"Install Python {wanted} here (uv python install {wanted}), or name one with "
        "`python` under [apps.NAME.build].",
    )


def _platform(target: BuildTarget, runner: Interpreter) -> Platform:
    musl = None if target.musl is None else _pair(target.musl)
    glibc = _pair(target.glibc) if target.glibc is not None else _GLIBC
    named = target.python or f"{runner.version}{'t' if runner.free_threaded else ''}"
    return Platform(
        python=named.rstrip("t"),
        machine=target.machine or runner.machine,
        glibc=None if musl is not None else glibc,
        musl=musl,
        free_threaded=named.endswith("t"),
    )


def _markers(platform: Platform, runner: Interpreter) -> Mapping[str, str]:
    full = platform.python
    if full == platform.minor:
        full = runner.full_version if runner.version == full else f"{full}.0"
    return {
        **runner.markers,
        "python_version": platform.minor,
        "python_full_version": full,
        "implementation_version": full,
        "platform_machine": platform.machine,
    }


def _deciding(markers: Mapping[str, str]) -> dict[str, str]:
    """Return the markers without those that name this machine's kernel."""
    return {k: v for k, v in markers.items() if k not in ("platform_release", "platform_version")}


def _pair(text: str) -> tuple[int, int]:
    major, minor = text.split(".")
    return int(major), int(minor)


def _glibc() -> str:
    """Return this machine's glibc as it names itself; empty if it has another C library."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        return ""
