"""How a command failed, told to the person and, with `--json`, to the program that called."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import typer

from castoff.store import machine
from castoff.store.errors import CastoffError, ExitCode

_HINTS = {
    errno.ENOSPC: "Make room on the disk.",
    errno.EDQUOT: "The quota of the user that runs Castoff is used up.",
    errno.EMFILE: "Let it open more files: ulimit -n",
}


class MachineRefuses(CastoffError):
    """The machine that runs Castoff refuses something that is no command's own matter."""

    exit_code = ExitCode.MACHINE


@dataclass(frozen=True, slots=True)
class Failed:
    """How a command ended; with exit code 0 it did not fail.

    Attributes:
        code: The exit code.
        message: What went wrong.
        hint: What to do about it; may be empty.
    """

    code: int
    message: str = ""
    hint: str = ""


def explain(error: CastoffError, words: Sequence[str] = ()) -> Failed:
    """Say what went wrong, on standard error.

    Args:
        error: What went wrong.
        words: The command line, for hints that go to the same place.
    """
    from castoff.cli.hints import as_called

    hint = as_called(error.hint, words)
    first, *rest = error.message.splitlines() or [""]
    typer.echo(f"castoff: {first}", err=True)
    for line in rest:
        typer.echo(line, err=True)
    for line in hint.splitlines():
        typer.echo(f"  -> {line}", err=True)
    if error.exit_code is ExitCode.INTERNAL:
        confess()
    return Failed(error.exit_code, error.message, hint)


def refused(error: OSError) -> Failed | None:
    """Say what the machine refuses; return None where that is no matter of the machine's."""
    if error.errno in machine.REFUSALS:
        told = f"{error.filename}: " if error.filename else ""
        return explain(MachineRefuses(f"{told}{error.strerror}", hint=_HINTS.get(error.errno, "")))
    if not isinstance(error, FileNotFoundError) or error.filename is not None:
        return None
    # That of `tempfile`, which has tried to write to each.
    if "temporary directory" in str(error):
        return explain(
            MachineRefuses(
                "no folder for temporary files can be written, /tmp among them",
                hint="Make room there, or name another place: TMPDIR",
            )
        )
    try:
        os.getcwd()  # noqa: PTH109 (as the one that failed)
    except FileNotFoundError:
        gone = MachineRefuses("the current folder is gone", hint="Start from another one: cd")
        return explain(gone)
    return None


def confess() -> Failed:
    """Say that the exception at hand is a defect of ours, and where it is written down."""
    message = f"this is a defect in Castoff ({sys.exc_info()[1].__class__.__name__})"
    log = _log()
    if log is None:
        import traceback

        # With nowhere to write to, here is the one place for what is to be reported.
        typer.echo(traceback.format_exc(), err=True, nl=False)
        hint = "What happened is on standard error; please report it."
        typer.echo(f"castoff: {message}. What happened is above; please report it.", err=True)
    else:
        hint = f"What happened is in {log}; please report it."
        typer.echo(f"castoff: {message}. {hint}", err=True)
    return Failed(ExitCode.INTERNAL, message, hint)


def print_failure(failed: Failed) -> None:
    """Print the document of a command that had none to print before it failed."""
    from castoff.cli.render.json_out import print_json

    print_json(
        {
            "ok": False,
            "exit_code": int(failed.code),
            "error": failed.message,
            "hint": failed.hint,
        }
    )


def _log() -> str | None:
    """Write the traceback to a file and return its name, or None where there is no room."""
    import tempfile
    import traceback

    with (
        suppress(OSError),
        tempfile.NamedTemporaryFile(
            "w", prefix="castoff-", suffix=".log", delete=False, encoding="utf-8"
        ) as log,
    ):
        traceback.print_exc(file=log)
        log.flush()
        return log.name
    return None
