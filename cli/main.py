"""The command line's root: the one place where errors become exit codes."""

from __future__ import annotations

import signal
import sys
from itertools import takewhile

import typer

from castoff.cli.failed import Failed, confess, explain, print_failure, refused
from castoff.cli.interrupt import leave_at_once, raise_again
from castoff.cli.standard_streams import ready_streams
from castoff.cli.tree import tree
from castoff.config.own_user import ensure_home
from castoff.store.errors import CastoffError, ExitCode


def main() -> None:
    """Run the command line; every outcome has an exit code of docs/reference/exit-codes.md."""
    # A stop by the system is to be handled like Ctrl-C: hosts that flipped go back.
    for stop in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.default_int_handler)
    # Whoever started us may have it ignored, which is handed on: then the kernel forgets how a
    # child ended (wait(2)), and each tool that failed would pass for one that did not.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    out = ready_streams()
    ensure_home()
    words = sys.argv[1:]
    try:
        raise_again()
        failed = _run(words)
        leave_at_once()
    except KeyboardInterrupt:
        failed = Failed(ExitCode.INTERRUPTED, "interrupted")
    if failed.code and not out.used and _wants_json(list(takewhile("--".__ne__, words))):
        print_failure(failed)
    out.flush()
    if out.failure is not None:
        typer.echo(f"castoff: standard output cannot be written: {out.failure.strerror}", err=True)
    sys.exit(failed.code or (ExitCode.OK if out.failure is None else ExitCode.OUTPUT))


def _run(words: list[str]) -> Failed:
    """Run a command and explain what went wrong.

    Returns:
        How it ended, with code 0 if nothing failed.
    """
    try:
        left = tree(next(iter(words), ""))(standalone_mode=False)
    except CastoffError as error:
        return explain(error, words)
    except typer.TyperException as error:
        # Typer exports no name for its own usage errors, which show how the command is used.
        error.show()  # type: ignore[attr-defined]
        return Failed(ExitCode.USAGE, error.format_message())
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("castoff: interrupted", err=True)
        return Failed(ExitCode.INTERRUPTED, "interrupted")
    except OSError as error:
        return refused(error) or confess()
    except Exception:  # noqa: BLE001 (the edge: a defect of ours, which no user should have to read)
        return confess()
    code = left if isinstance(left, int) else ExitCode.OK
    return Failed(code, "interrupted" if code == ExitCode.INTERRUPTED else "")


def _wants_json(words: list[str]) -> bool:
    # The one command whose documents have several forms.
    form = words[:1] == ["notes"] and "json" in words
    return form or "--json" in words or "--format=json" in words
