"""Run a tool in an environment that is known, and keep what it says for the case that it fails."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from castoff.builder.errors import BuildError


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    task: str,
    given: bytes | None = None,
    hint: str = "",
) -> bytes:
    """Run a program to its end; return its standard output.

    Args:
        argv: The program and its arguments; no shell reads them.
        cwd: The folder that it starts in.
        env: All of its environment.
        task: What it is for, to continue the sentence "could not …".
        given: Its standard input; nothing by default.
        hint: What to do if it fails.

    Raises:
        BuildError: It cannot be started, or returns something other than 0.
    """
    name = Path(argv[0]).name
    try:
        done = subprocess.run(
            [str(word) for word in argv],
            cwd=cwd,
            env=dict(env),
            input=given or b"",
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise BuildError(
            f"could not {task}: {argv[0]}: {error.strerror}", hint=hint, command=name
        ) from error
    if done.returncode != 0:
        said = (done.stdout + b"\n" + done.stderr).decode(errors="replace")
        raise BuildError(
            f"could not {task}: {name} failed with exit status {done.returncode}",
            hint=hint,
            command=name,
            output=said,
        )
    return done.stdout
