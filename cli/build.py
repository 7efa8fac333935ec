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

    The same commit gives the same bytes, on any machine and at any time. What looks like a
    secret stops the build. Beside the archive lie a bill of materials and a provenance statement,
    and a signature if castoff.toml names a key.
    """
    from castoff.builder.build import build as build_artifact
    from castoff.builder.request import BuildRequest
    from castoff.cli.cache_place import cache_bound, cache_folder
    from castoff.cli.recipe import open_recipe
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.sizes import size

    if version is not None:
        check_version(version)
    recipe = open_recipe(config, app)
    key = recipe.key
    if key is not None:
        from castoff.store.signature import check_key

        check_key(key)
    started = time.monotonic()

    def progress(stage: str, detail: str) -> None:
        sys.stderr.write(f"{time.monotonic() - started:6.1f}s  {stage}: {detail}\n")

    result = build_artifact(
        BuildRequest(
            repository=recipe.base,
            app=recipe.app,
            recipe=recipe.settings,
            ref=ref,
            version=version,
            dirty=dirty,
            output=recipe.artifacts,
            cache=cache_folder(),
            cache_bound=cache_bound(),
        ),
        progress=progress,
    )
    from castoff.builder.attest import write_attestations
    from castoff.store.local_artifact import load_local

    manifest = result.manifest
    artifact = load_local(recipe.artifacts, manifest.app, manifest.version)
    sbom, provenance = write_attestations(artifact, result.lock, result.licences)
    signed = None
    if key is not None:
        from castoff.cli.signing import sign_and_tell

        signed = sign_and_tell(artifact, key)
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
                "sbom": str(sbom),
                "provenance": str(provenance),
                "signed": signed is not None,
                "stages": result.seconds,
            }
        )
        return
    count = len(manifest.dependencies)
    noun = "dependency" if count == 1 else "dependencies"
    typer.echo(
        f"built {manifest.app} {manifest.version}: {result.archive} "
        f"({size(manifest.archive.size)}, {count} {noun}, "
        f"tree {manifest.tree_sha256[:12]})"
    )
    if signed is not None:
        typer.echo(signed)
