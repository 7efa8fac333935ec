"""`castoff versions`: what the store holds."""

from __future__ import annotations

from datetime import datetime, timezone

import typer

from castoff.cli.options import AppOption, ConfigOption, JsonOption


def versions(
    app: AppOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the versions in the store, newest first, and where each is live."""
    from castoff.cli.names import open_names
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.sizes import size
    from castoff.store import listing

    names = open_names(config, app)
    live = listing.live(names.store, names.app, names.environments)
    found = listing.versions(names.store, names.app)
    if as_json:
        print_json(
            [
                {
                    "version": info.version,
                    "format": info.format,
                    "commit": info.commit,
                    "built": info.built,
                    "size": info.size,
                    "live": live.get(info.version, []),
                }
                for info in found
            ]
        )
        return
    if not found:
        typer.echo(
            f"{names.app} has no version in {names.store.url} yet: castoff build, castoff push"
        )
        return
    width = max(len(info.version) for info in found)
    for info in found:
        when = datetime.fromtimestamp(info.built, tz=timezone.utc).strftime("%Y-%m-%d %H:%M")
        where = f"  live in {', '.join(live[info.version])}" if info.version in live else ""
        typer.echo(
            f"{info.version:<{width}}  {when}  {info.commit[:10]}  {info.format}  "
            f"{size(info.size)}{where}"
        )
