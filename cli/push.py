"""`castoff push`: a built version goes to the store, where it never changes again."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from castoff.cli.options import AppOption, BuiltArgument, ConfigOption, JsonOption
from castoff.store.version import check_version

if TYPE_CHECKING:
    from castoff.builder.patches.push import PushedPatch
    from castoff.cli.project import Project
    from castoff.store.backend import Store
    from castoff.store.local_artifact import LocalArtifact
    from castoff.store.public.publish import Published


def push(
    version: BuiltArgument,
    app: AppOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Upload a version from artifacts/ to the store.

    Pushing the same bytes again does nothing; pushing other bytes under the same version is
    refused. A signature that was made since is added. Where the app has a CDN, its assets become
    public first: those that are not there yet. Patches from the last good releases are made, if
    they spare hosts bytes (`patches` in [store]).
    """
    from castoff.cli.cache_place import cache_folder
    from castoff.cli.project import open_project
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.sizes import size
    from castoff.cli.render.transfer import transfer
    from castoff.store import artifacts, condemned
    from castoff.store.probe import probe
    from castoff.store.public.publish import publish_files

    check_version(version)
    project = open_project(config, app)
    artifact = artifacts.load_local(project.artifacts, project.app, version)
    store = project.store()
    probe(store, cache=cache_folder())
    artifacts.check_free(store, artifact)
    published: Published | None = None
    place, cdn = project.place(), project.recipe.cdn
    if place is not None and cdn is not None:
        with transfer(f"publish the assets of {version}", None) as progress:
            published = publish_files(
                store, place, artifact, origins=cdn.allow_origins, progress=progress
            )
    else:
        condemned.spare(store, project.app, version=version)
    total = artifact.manifest.archive.size + artifact.manifest.table.size
    with transfer(f"push {version}", total) as progress:
        pushed = artifacts.push(store, artifact, progress=progress)
    patches, trouble = _patches(project, store, artifact)
    if as_json:
        print_json(
            {
                "app": project.app,
                "version": version,
                "store": store.url,
                "created": pushed.created,
                "added": pushed.added,
                "archive_sha256": artifact.manifest.archive.sha256,
                "assets": None if published is None else asdict(published),
                "patches": [asdict(one) for one in patches],
                "patches_trouble": trouble,
            }
        )
        return
    if published is not None and place is not None:
        _say(published, place.url, size(published.size))
    added = f" with {', '.join(pushed.added)}" if pushed.added else ""
    if pushed.created:
        typer.echo(f"pushed {project.app} {version} ({size(total)}){added} to {store.url}")
    else:
        now = f"; now there{added}" if added else ""
        typer.echo(f"{project.app} {version} is in {store.url} already, with the same bytes{now}")
    for one in patches:
        if one.size is None:
            typer.echo(f"no patch from {one.base}: {one.why_not}")
        else:
            typer.echo(f"patch from {one.base}: {size(one.size)} (else {size(one.instead_of)})")
    if trouble:
        typer.echo(f"note: no patches were made: {trouble}")


def _patches(
    project: Project, store: Store, artifact: LocalArtifact
) -> tuple[tuple[PushedPatch, ...], str]:
    """Make patches to what was pushed; return them, and what kept it from that, if anything did."""
    from castoff.builder.patches.push import push_patches
    from castoff.releaser.retention.good_releases import last_good
    from castoff.store.errors import CastoffError

    try:
        bases = last_good(store, project.app, project.loaded.config.store.patches)
        return push_patches(store, artifact, bases), ""
    except CastoffError as error:
        return (), error.message


def _say(published: Published, where: str, sent: str) -> None:
    there = published.total - published.sent
    typer.echo(
        f"{published.total} public assets in {where}: {published.sent} sent ({sent}), "
        f"{there} there already"
    )
    if not published.open_to_others:
        typer.echo(
            "note: CORS is not kept there; its web server must send Access-Control-Allow-Origin"
        )
