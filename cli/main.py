"""The command line's root: the one place where errors become exit codes."""

from __future__ import annotations

import signal
import sys

import typer

from castoff.cli.tolerant import Tolerant
from castoff.cli.tree import tree
from castoff.store.errors import CastoffError, ExitCode


def main() -> None:
    """Run the command line; every outcome has an exit code of docs/reference/exit-codes.md."""
    # A stop by the system is to be handled like Ctrl-C: hosts that flipped go back.
    for stop in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.default_int_handler)
    # Whoever started us may have it ignored, which is handed on: then the kernel forgets how a
    # child ended (wait(2)), and each tool that failed would pass for one that did not.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sys.stdout, sys.stderr = Tolerant(sys.stdout), Tolerant(sys.stderr)
    try:
        tree(next(iter(sys.argv[1:]), ""))()
    except CastoffError as error:
        _explain(error)
        if error.exit_code is ExitCode.INTERNAL:
            _confess()
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("castoff: interrupted", err=True)
        sys.exit(ExitCode.INTERRUPTED)
    except Exception:  # noqa: BLE001 (the edge: a defect of ours, which no user should have to read)
        _confess()
        sys.exit(ExitCode.INTERNAL)


def _explain(error: CastoffError) -> None:
    first, *rest = error.message.splitlines() or [""]
    typer.echo(f"castoff: {first}", err=True)
    for line in rest:
        typer.echo(line, err=True)
    for line in error.hint.splitlines():
        typer.echo(f"  -> {line}", err=True)


def _confess() -> None:
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="castoff-", suffix=".log", delete=False, encoding="utf-8"
    ) as log:
        traceback.print_exc(file=log)
    typer.echo(
        f"castoff: this is a defect in Castoff ({sys.exc_info()[1].__class__.__name__}). "
        f"What happened is in {log.name}; please report it.",
        err=True,
    )
