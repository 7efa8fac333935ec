"""The command line's root: the commands, and the one place where errors become exit codes."""

from __future__ import annotations

import signal
import sys
import tempfile
import traceback
from typing import Annotated

import typer

from castoff.cli import (
    backup,
    build,
    cache,
    converge,
    diff,
    gc,
    history,
    init,
    inspect,
    keys,
    lock,
    logs,
    maintenance,
    mirror,
    notes,
    notify,
    plan,
    policy,
    preflight,
    provision,
    prune,
    push,
    release,
    report,
    resume,
    run,
    secrets,
    sign,
    ssh,
    status,
    verify,
    versions,
)
from castoff.cli.tolerant import Tolerant
from castoff.store.errors import CastoffError, ExitCode

app = typer.Typer(
    name="castoff",
    help="Build once, release to every server at once, roll back in a rename.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("init")(init.init)
app.command("build")(build.build)
app.add_typer(cache.cache, name="cache")
app.command("sign")(sign.sign)
app.add_typer(keys.keys, name="keys")
app.command("push")(push.push)
app.command("versions")(versions.versions)
app.command("inspect")(inspect.inspect)
app.command("diff")(diff.diff)
app.command("verify")(verify.verify)
app.command("mirror")(mirror.mirror)
app.command("policy")(policy.policy)
app.command("gc")(gc.gc)
app.command("secrets")(secrets.secrets)
app.command("provision")(provision.provision)
app.command("preflight")(preflight.preflight)
app.command("plan")(plan.plan)
app.command("release")(release.release)
app.command("prepare")(release.prepare)
app.command("activate")(release.activate)
app.command("rollback")(release.rollback)
app.command("resume")(resume.resume)
app.command("abort")(resume.abort)
app.command("converge")(converge.converge)
app.command("lock")(lock.lock)
app.command("unlock")(lock.unlock)
app.command("pin")(prune.pin)
app.command("unpin")(prune.unpin)
app.command("prune")(prune.prune)
app.command("backup")(backup.backup)
app.command("backups")(backup.backups)
app.command("restore")(backup.restore)
app.add_typer(maintenance.maintenance, name="maintenance")
app.command("status")(status.status)
app.command("run")(run.run)
app.command("logs")(logs.logs)
app.command("ssh")(ssh.ssh)
app.command("history")(history.history)
app.command("report")(report.report)
app.command("notes")(notes.notes)
app.command("notify")(notify.notify)


def _print_version(wanted: bool) -> None:
    if wanted:
        # It brings half of the standard library, which every other start does without.
        from importlib.metadata import version

        typer.echo(f"castoff {version('castoff')}")
        raise typer.Exit


@app.callback()
def root(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print Castoff's version."
        ),
    ] = False,
) -> None:
    """Build once, release to every server at once, roll back in a rename."""


def main() -> None:
    """Run the command line; every outcome has an exit code of docs/reference/exit-codes.md."""
    # A stop by the system is to be handled like Ctrl-C: hosts that flipped go back.
    for stop in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.default_int_handler)
    sys.stdout, sys.stderr = Tolerant(sys.stdout), Tolerant(sys.stderr)
    try:
        app()
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
    with tempfile.NamedTemporaryFile(
        "w", prefix="castoff-", suffix=".log", delete=False, encoding="utf-8"
    ) as log:
        traceback.print_exc(file=log)
    typer.echo(
        f"castoff: this is a defect in Castoff ({sys.exc_info()[1].__class__.__name__}). "
        f"What happened is in {log.name}; please report it.",
        err=True,
    )
