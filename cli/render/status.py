"""The environment's status in words and a table."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from castoff.cli.render.plain_text import plain
from castoff.cli.render.sizes import size
from castoff.cli.render.tables import print_table
from castoff.releaser.operations.status import Drift, HostStatus, Status
from castoff.releaser.operations.verify_hosts import kinds
from castoff.store.freeze import clock

_HEADER = ("host", "roles", "serves", "processes run", "files", "good", "releases", "free", "")


def print_status(found: Status) -> None:
    """Print the environment's state, a row for each host, and what is wrong with some."""
    live = found.current or "nothing yet"
    back = f", rollback goes to {found.previous}" if found.previous else ""
    typer.echo(f"{found.app} in {found.environment}: {live}{back}")
    if found.frozen:
        typer.echo(f"frozen {found.frozen}")
    if found.lease:
        typer.echo(f"at work: {found.lease}")
    if found.unfinished:
        where = f"--env {found.environment}"
        way_out = f"castoff resume {where}, or castoff abort {where}"
        typer.echo(f"not finished: {found.unfinished} ({way_out})")
    for pin in found.pinned:
        why = f": {pin.reason}" if pin.reason else ""
        typer.echo(f"pinned: {pin.version}, by {pin.owner} since {clock(pin.since)}{why}")
    rows = [_row(found, host) for host in found.hosts]
    print_table(_HEADER, rows, spare=("releases", "good", "roles"))
    damaged = False
    for host in found.hosts:
        if host.lock:
            typer.echo(f"{host.name}: at work there: {host.lock}")
        if host.drift is not None:
            damaged = True
            typer.echo(f"{host.name}: {host.current} is not as it was built: {_named(host.drift)}")
    if damaged:
        mend = f"castoff release {found.current} --env {found.environment}"
        typer.echo(f"castoff verify --env {found.environment} reads every file; the mend: {mend}")


def _row(found: Status, host: HostStatus) -> tuple[str, ...]:
    processes = host.processes or {}
    return (
        host.name,
        " ".join(host.roles),
        f"{host.current or '-'} ({host.color})" if host.color else host.current or "-",
        ", ".join(f"{version} ({count})" for version, count in processes.items()) or "-",
        _files(found, host),
        host.good or "-",
        str(len(host.releases)),
        size(host.free_bytes),
        "; ".join(_remarks(found, host)),
    )


def _files(found: Status, host: HostStatus) -> str:
    if host.tree_sha256 is None:
        return "-"
    if host.drift is None:
        return "verified" if found.deep else "as built"
    return f"{host.drift.count} differ"


def _remarks(found: Status, host: HostStatus) -> Iterator[str]:
    if host.quarantine:
        yield f"QUARANTINE {host.quarantine}"
    if host.maintenance:
        yield "MAINTENANCE"
    if host.trouble:
        yield host.trouble
    elif host.current != found.current:
        yield "DIFFERS"
    if host.drift is not None:
        yield "DRIFT"
    if host.stale:
        yield "NOT RESTARTED"


def _named(drift: Drift) -> str:
    named = kinds({"changed": drift.changed, "missing": drift.missing, "extra": drift.extra})
    more = drift.count - len(named)
    return plain(", ".join(named)) + (f" and {more} more" if more else "")
