"""`castoff push`: a built version goes to the store, where it never changes again."""

from __future__ import annotations

from typing import Annotated

import typer

from castoff.cli.options import AppOption, ConfigOption, JsonOption
from castoff.store.version import check_version


def push(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="A version in artifacts/.")],
    app: AppOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Upload a version from artifacts/ to the store.

    Pushing the same bytes again does nothing; pushing other bytes under the same version is
    refused. A signature that was made since is added.
    """
    from castoff.cli.project import cache_folder, open_project
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.sizes import size
    from castoff.cli.render.transfer import transfer
    from castoff.store import artifacts
    from castoff.store.probe import probe

    check_version(version)
    project = open_project(config, app)
    artifact = artifacts.load_local(project.artifacts, project.app, version)
    store = project.store()
    probe(store, cache=cache_folder())
    total = artifact.manifest.archive.size + artifact.manifest.table.size
    with transfer(f"push {version}", total) as progress:
        pushed = artifacts.push(store, artifact, progress=progress)
    if as_json:
        print_json(
            {
                "app": project.app,
                "version": version,
                "store": store.url,
                "created": pushed.created,
                "added": pushed.added,
                "archive_sha256": artifact.manifest.archive.sha256,
            }
        )
        return
    added = f" with {', '.join(pushed.added)}" if pushed.added else ""
    if pushed.created:
        typer.echo(f"pushed {project.app} {version} ({size(total)}){added} to {store.url}")
    else:
        now = f"; now there{added}" if added else ""
        typer.echo(f"{project.app} {version} is in {store.url} already, with the same bytes{now}")
