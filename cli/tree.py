"""The tree of commands, in the order in which the help lists them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

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
from castoff.cli.sparing import SparingCommand, SparingGroup

_TREE: dict[str, Callable[..., Any] | typer.Typer] = {
    "init": init.init,
    "build": build.build,
    "cache": cache.cache,
    "sign": sign.sign,
    "keys": keys.keys,
    "push": push.push,
    "versions": versions.versions,
    "inspect": inspect.inspect,
    "diff": diff.diff,
    "verify": verify.verify,
    "mirror": mirror.mirror,
    "policy": policy.policy,
    "gc": gc.gc,
    "secrets": secrets.secrets,
    "provision": provision.provision,
    "preflight": preflight.preflight,
    "plan": plan.plan,
    "release": release.release,
    "prepare": release.prepare,
    "activate": release.activate,
    "rollback": release.rollback,
    "resume": resume.resume,
    "abort": resume.abort,
    "converge": converge.converge,
    "lock": lock.lock,
    "unlock": lock.unlock,
    "pin": prune.pin,
    "unpin": prune.unpin,
    "prune": prune.prune,
    "backup": backup.backup,
    "backups": backup.backups,
    "restore": backup.restore,
    "maintenance": maintenance.maintenance,
    "status": status.status,
    "run": run.run,
    "logs": logs.logs,
    "ssh": ssh.ssh,
    "history": history.history,
    "report": report.report,
    "notes": notes.notes,
    "notify": notify.notify,
}


def tree(called: str = "") -> typer.Typer:
    """Return the command line, with all commands or with the one that is called alone.

    Reading the signatures of all commands takes longer than many a command itself.

    Args:
        called: The command line's first word; if it names no command, all are there.
    """
    app = typer.Typer(
        name="castoff",
        cls=SparingGroup,
        help="Build once, release to every server at once, roll back in a rename.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name in [called] if called in _TREE else _TREE:
        command = _TREE[name]
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name, cls=SparingCommand)(command)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        # It brings half of the standard library, which every other start does without.
        from importlib.metadata import version

        typer.echo(f"castoff {version('castoff')}")
        raise typer.Exit


def _root(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print Castoff's version."
        ),
    ] = False,
) -> None:
    """Build once, release to every server at once, roll back in a rename."""
