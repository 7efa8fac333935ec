"""`castoff gc`: what nobody needs any more leaves the store."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from castoff.cli.options import AppOption, ConcurrencyOption, ConfigOption, JsonOption
from castoff.store.counted import counted
from castoff.store.errors import UsageError

if TYPE_CHECKING:
    from castoff.cli.project import Project
    from castoff.store.garbage import Doomed, Survey

_AGE = re.compile(r"(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def _age(text: str, *, name: str) -> float:
    found = _AGE.fullmatch(text)
    if found is None:
        raise UsageError(
            f"{name}: {text!r} is no age", hint="Write a number and s, m, h or d, as in 12h."
        )
    return int(found[1]) * _SECONDS[found[2]]


def gc(
    apply: Annotated[
        bool, typer.Option("--apply", help="Do it; without this, only say what would be done.")
    ] = False,
    keep: Annotated[
        int, typer.Option("--keep", min=2, help="Good versions to keep for each environment.")
    ] = 10,
    window: Annotated[
        str, typer.Option("--window", metavar="AGE", help="Keep what ran anywhere since.")
    ] = "30d",
    grace: Annotated[
        str,
        typer.Option(
            "--grace",
            metavar="AGE",
            help="How long anything is safe, after it was written and after it was condemned.",
        ),
    ] = "24h",
    hosts: Annotated[
        bool, typer.Option("--hosts/--no-hosts", help="Whether to ask all hosts what they hold.")
    ] = True,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove versions and public assets that no environment can want any more.

    Kept is what is live anywhere, what a rollback may go to, what is pinned, what ran lately, what
    hosts hold, and what is new. Everything else is condemned, and removed by the next `castoff gc
    --apply` after the grace time; whoever pushes or releases it meanwhile saves it.
    """
    import time

    from castoff.cli.cache_place import cache_folder
    from castoff.cli.project import open_project
    from castoff.cli.render.json_out import print_json
    from castoff.releaser.retention.collected import collected
    from castoff.releaser.retention.needed import Window, needed_versions
    from castoff.store.garbage import Terms, collect, survey
    from castoff.store.probe import probe

    seconds, safe = _age(window, name="--window"), _age(grace, name="--grace")
    project = open_project(config, app)
    store = project.store()
    now = time.time()
    reported = _reported(project, concurrency) if hosts else {}

    def needed() -> dict[str, str]:
        return needed_versions(store, project.app, Window(keep, now - seconds), reported)

    terms = Terms(grace=safe, now=now)
    places = collected(project.loaded.config, project.app, project.loaded.base, project.place())
    if apply:
        probe(store, cache=cache_folder())
        found = collect(store, project.app, needed, terms, place=places.shelf)
    else:
        found = survey(store, project.app, needed, terms, place=places.shelf)
    if as_json:
        print_json(_document(project.app, store.url, found, places.shared, applied=apply))
        return
    _show(project.app, found, applied=apply, ready=now + safe)
    for url in places.shared:
        typer.echo(f"note: assets in {url} stay: other apps of this project have theirs there too")


def _reported(project: Project, concurrency: int | None) -> dict[str, tuple[str, ...]]:
    """Return what the hosts of all environments hold.

    Raises:
        UsageError: Some host does not answer: what it holds is not known.
    """
    from castoff.cli.scope import open_scope
    from castoff.releaser.operations.status import look

    found: dict[str, tuple[str, ...]] = {}
    for environment in project.loaded.config.environments:
        scope = open_scope(project, environment, writes=False, concurrency=concurrency)
        for host in look(scope).hosts:
            if host.free_bytes is None:
                raise UsageError(
                    f"{host.name} of {environment} does not say what it holds: {host.trouble}",
                    hint="Nothing was removed. Mend it, or go by the store alone: --no-hosts",
                )
            found[f"{host.name} of {environment}"] = host.releases
    return found


def _document(
    app: str, where: str, found: Survey, shared: tuple[str, ...], *, applied: bool
) -> dict[str, Any]:
    def rows(doomed: tuple[Doomed, ...]) -> list[dict[str, Any]]:
        return [
            {"name": one.name, "size": one.size, "condemned": one.since, "removed": one.due}
            for one in doomed
        ]

    return {
        "app": app,
        "store": where,
        "applied": applied,
        "kept": dict(found.kept),
        "versions": rows(found.versions),
        "assets": rows(found.files),
        "strays": [{"key": stray.key, "size": stray.size} for stray in found.strays],
        "unfinished_uploads": found.uploads,
        "shared_places": list(shared),
    }


def _show(app: str, found: Survey, *, applied: bool, ready: float) -> None:
    from castoff.cli.render.sizes import size
    from castoff.store.freeze import clock

    did = "removed" if applied else "would remove"
    for one in (one for one in found.versions if one.due):
        typer.echo(f"{did} {app} {one.name} ({size(one.size)})")
    due = [one for one in found.files if one.due]
    if due:
        typer.echo(
            f"{did} {counted(len(due), 'public asset')} ({size(sum(one.size for one in due))})"
        )
    if found.strays:
        lost = sum(stray.size for stray in found.strays)
        typer.echo(f"{did} {counted(len(found.strays), 'archive')} of lost pushes ({size(lost)})")
    if found.uploads:
        typer.echo(f"{did} {counted(found.uploads, 'unfinished upload')}")
    waiting = [one for one in found.versions if not one.due]
    for one in waiting:
        since = f"condemned since {clock(one.since)}" if applied else "nobody needs it"
        typer.echo(f"{app} {one.name} ({size(one.size)}): {since}")
    files = [one for one in found.files if not one.due]
    if files:
        total = size(sum(one.size for one in files))
        typer.echo(f"{counted(len(files), 'public asset')} ({total}): no version names them")
    if waiting or files:
        verb = "are removed by" if applied else "would be condemned, and removed by"
        typer.echo(f"these {verb} a `castoff gc --apply` after {clock(ready)}")
    typer.echo(f"kept: {counted(len(found.kept), 'version')}")
    if not applied and (found.versions or found.files or found.strays):
        typer.echo("nothing was changed: castoff gc --apply does it")
