"""`castoff inspect`: what is in a version."""

from __future__ import annotations

from typing import Annotated

import typer

from castoff.cli.options import AppOption, ArtifactArgument, ConfigOption, JsonOption, StoreOption


def inspect(
    artifact: ArtifactArgument,
    files: Annotated[
        bool,
        typer.Option("--files", help="List every asset, and every file with its size and digest."),
    ] = False,
    store: StoreOption = False,
    app: AppOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a version is: its commit, target, dependencies, sizes by package, assets and files.

    Nothing is unpacked. Files are given to packages by the RECORD of each if the archive is on
    this machine, and by their names if not.
    """
    from castoff.cli.artifact import find
    from castoff.cli.render.insight import inspect_json, print_inspection
    from castoff.cli.render.json_out import print_json
    from castoff.store.packages import by_package, read_owners

    found = find(artifact, config, app, in_store=store)
    owners = {} if found.archive is None else read_owners(found.archive, found.table)
    groups = by_package(found.manifest, found.table, owners)
    if as_json:
        print_json(inspect_json(found, groups, every_file=files))
    else:
        print_inspection(found, groups, every_file=files)
