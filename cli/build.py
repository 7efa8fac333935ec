"""`castoff build`: a git commit becomes an immutable artifact in artifacts/."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from castoff.cli.options import AppOption, ConfigOption, JsonOption
from castoff.store.version import check_version


def build(
    ref: Annotated[str, typer.Option("--ref", help="The commit, tag or branch to build.")] = "HEAD",
    version: Annotated[
        str | None,
        typer.Option(
            "--version", "-v", help="Its version; default: the commit's tag, else its time and id."
        ),
    ] = None,
    dirty: Annotated[
        bool,
        typer.Option(
            "--dirty", help="Build the working tree instead; the version says so, always."
        ),
    ] = False,
    app: AppOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build exactly one commit, with its locked dependencies, into artifacts/.

    The same commit gives the same bytes, on any machine and at any time.
    """
    from castoff.builder.build import BuildRequest
    from castoff.builder.build import build as build_artifact
    from castoff.cli.project import open_project
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.sizes import size

    if version is not None:
        check_version(version)
    project = open_project(config, app)
    started = time.monotonic()

    def progress(stage: str, detail: str) -> None:
        sys.stderr.write(f"{time.monotonic() - started:6.1f}s  {stage}: {detail}\n")

    result = build_artifact(
        BuildRequest(
            repository=project.loaded.base,
            app=project.app,
            recipe=project.recipe,
            ref=ref,
            version=version,
            dirty=dirty,
            output=project.artifacts,
        ),
        progress=progress,
    )
    manifest = result.manifest
    if as_json:
        print_json(
            {
                "app": manifest.app,
                "version": manifest.version,
                "archive": str(result.archive),
                "manifest": str(result.manifest_path),
                "archive_sha256": manifest.archive.sha256,
                "archive_size": manifest.archive.size,
                "tree_sha256": manifest.tree_sha256,
                "stages": result.seconds,
            }
        )
        return
    typer.echo(
        f"built {manifest.app} {manifest.version}: {result.archive} "
        f"({size(manifest.archive.size)}, {len(manifest.dependencies)} dependencies, "
        f"tree {manifest.tree_sha256[:12]})"
    )
