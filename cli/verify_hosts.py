"""`castoff verify --env`: read again what lies on the hosts of an environment."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from castoff.releaser.job import Scope
    from castoff.releaser.operations.verify_hosts import Checked, ReleaseCheck


def verify_on_hosts(scope: Scope, version: str | None, *, every: bool, as_json: bool) -> None:
    """Have the hosts of a scope read a release again, or every one; print what they found.

    Raises:
        Damaged: Some host has not, or not wholly, what it should; or could not be asked.
        StoreError: The store cannot be read.
    """
    from castoff.cli.render.json_out import print_json
    from castoff.releaser.operations.verify_hosts import verify_hosts

    checked = verify_hosts(scope, version=version, every=every)
    if as_json:
        hosts = [
            {
                **asdict(host),
                "releases": [{**asdict(one), "whole": one.whole} for one in host.releases],
            }
            for host in checked.hosts
        ]
        print_json(
            {
                "app": scope.app,
                "environment": scope.environment_name,
                "whole": checked.failure is None,
                "hosts": hosts,
            }
        )
    else:
        _print(checked)
    if checked.failure is not None:
        raise checked.failure


def _print(checked: Checked) -> None:
    from castoff.cli.render.plain_text import plain
    from castoff.cli.render.tables import print_table
    from castoff.releaser.operations.verify_hosts import kinds

    rows = []
    for host in checked.hosts:
        if host.trouble is not None:
            rows.append((host.name, "-", "-", host.trouble))
        rows += [
            (
                host.name,
                f"{one.version} (current)" if one.version == host.current else one.version,
                (one.tree_sha256 or "-")[:12],
                _found(one),
            )
            for one in host.releases
        ]
    print_table(("host", "release", "tree", "found"), rows)
    for host in checked.hosts:
        for one in host.releases:
            named = kinds({"changed": one.changed, "missing": one.missing, "extra": one.extra})
            for path in named:
                typer.echo(f"{host.name}: {one.version}: {plain(path)}")
            if one.differing > len(named):
                typer.echo(f"{host.name}: {one.version}: and {one.differing - len(named)} more")


def _found(one: ReleaseCheck) -> str:
    if one.trouble is not None:
        return one.trouble
    if one.differing:
        return f"{one.differing} differ"
    if not one.whole:
        return "NOT the store's"
    return "whole" if one.expected is not None else "whole by its own record; not in the store"
