"""The Python that a release is built for and with."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from castoff.builder.errors import BuildError
from castoff.builder.interpreter_driver import facts
from castoff.builder.process import run

_DRIVER = Path(__file__).with_name("interpreter_driver.py")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An interpreter that was asked what it is.

    Attributes:
        path: Its executable.
        markers: The environment of PEP 508 markers.
        free_threaded: Whether it has no global lock (PEP 703), and so an ABI of its own.
    """

    path: Path
    markers: Mapping[str, str]
    free_threaded: bool = False

    @property
    def version(self) -> str:
        """Major and minor version, `3.11`."""
        return self.markers["python_version"]

    @property
    def full_version(self) -> str:
        """The whole version, `3.11.7`."""
        return self.markers["python_full_version"]

    @property
    def machine(self) -> str:
        """The machine, `x86_64`."""
        return self.markers["platform_machine"]


def find_interpreter(wanted: str | None, *, cwd: Path, env: Mapping[str, str]) -> Interpreter:
    """Return the interpreter that castoff.toml names.

    Args:
        wanted: A path, a name or a version (`3.12`), as `uv python find` takes it; None means
            the one that runs Castoff.
        cwd: Where relative paths start.
        env: The tools' environment.

    Raises:
        BuildError: There is none, or it does not run.
    """
    if wanted is None:
        # It need not be started to be asked.
        path, answer = sys.executable, facts()
    else:
        hint = "Install it, or name another with `python` under [apps.NAME.build] in castoff.toml."
        path = _look_up(wanted, cwd=cwd, env=env, hint=hint)
        ask = _DRIVER.read_text(encoding="utf-8")
        said = run([path, "-I", "-c", ask], cwd=cwd, env=env, task=f"ask {path} what it is")
        answer = json.loads(said)
    program = Path(answer["executable"] or path)
    return Interpreter(program, answer["markers"], free_threaded=answer["free_threaded"])


def _look_up(wanted: str, *, cwd: Path, env: Mapping[str, str], hint: str) -> str:
    task = f"find Python {wanted!r}"
    try:
        program = uv()
    except BuildError:
        # Without uv, by name on PATH.
        found = next(
            (
                path
                for name in (wanted, f"python{wanted}")
                if (path := shutil.which(name, path=env.get("PATH"))) is not None
            ),
            None,
        )
        if found is None:
            raise BuildError(f"could not {task}: it is not on PATH", hint=hint) from None
        return found
    argv = [program, "python", "find", "--no-project", "--", wanted]
    return run(argv, cwd=cwd, env=env, task=task, hint=hint).decode().strip()


def uv() -> str:
    """Return the path of the uv that was installed with Castoff.

    Raises:
        BuildError: It is not there.
    """
    # Not through PATH: Castoff may run from an environment that is not activated.
    from uv import find_uv_bin

    try:
        return find_uv_bin()
    except FileNotFoundError as error:
        raise BuildError("uv is not installed beside Castoff", hint="pip install uv") from error
