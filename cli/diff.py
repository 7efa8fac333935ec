"""`castoff diff`: what changes from one version to another."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from castoff.cli.options import AppOption, ConfigOption, JsonOption, StoreOption

_HELP = "An archive or manifest by its path, or a version in artifacts/ or in the store."


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help=_HELP)],
    new: Annotated[str, typer.Argument(metavar="NEW", help=_HELP)],
    store: StoreOption = False,
    app: AppOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what changes from one version to another, and what a host would have to fetch.

    Only manifests and file tables are read.
    """
    from castoff.cli.artifact import find
    from castoff.cli.render.insight import print_difference
    from castoff.cli.render.json_out import print_json
    from castoff.store.difference import difference

    before, after = (find(text, config, app, in_store=store) for text in (old, new))
    changes = difference(before.manifest, before.table, after.manifest, after.table)
    if as_json:
        print_json(asdict(changes))
    else:
        print_difference(changes)
