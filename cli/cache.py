"""`castoff cache`: what builds keep for the next ones."""

from __future__ import annotations

from typing import Annotated

import typer

from castoff.cli.options import JsonOption

cache = typer.Typer(invoke_without_command=True)


@cache.callback()
def show(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show what builds keep for the next ones: the folder, its stages and its bound.

    Nothing depends on what is there: it only saves time. Builds keep it within CASTOFF_CACHE_SIZE
    (2G if that is not set; 0 keeps nothing), the least recently used leaving first. What each
    installer (uv, pip) keeps has the same bound for itself, and is looked at once a day; asset
    tools that were fetched do not count, and stay.
    """
    if context.invoked_subcommand is not None:
        return
    from castoff.builder.cache_space import STAGES, usage
    from castoff.cli.cache_place import cache_bound, cache_folder
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.sizes import size
    from castoff.cli.render.tables import print_table

    folder, bound, stages = cache_folder(), cache_bound(), usage(cache_folder())
    total = sum(stage.size for stage in stages)
    bounded = sum(stage.size for stage in stages if stage.stage in STAGES)
    if as_json:
        print_json(
            {
                "folder": str(folder),
                "bound": bound,
                "size": total,
                "stages": {
                    stage.stage: {"entries": stage.entries, "size": stage.size} for stage in stages
                },
            }
        )
        return
    typer.echo(f"{folder}: {size(bounded)} of {size(bound)}")
    print_table(
        ("stage", "entries", "size"),
        [(stage.stage, str(stage.entries), size(stage.size)) for stage in stages],
    )


@cache.command("prune")
def prune(
    max_size: Annotated[
        str | None,
        typer.Option(
            "--max-size", metavar="SIZE", help="How much may stay; default: CASTOFF_CACHE_SIZE."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Remove the least recently used results until the rest fits; tools stay.

    Of what an installer keeps, all goes that it could fetch again, where that is more than SIZE.
    """
    import os

    from castoff.builder.cache_size import parse_size
    from castoff.builder.cache_space import prune as prune_folder
    from castoff.builder.installer_space import prune_installers
    from castoff.cli.cache_place import cache_bound, cache_folder

    bound = cache_bound() if max_size is None else parse_size(max_size, name="--max-size")
    folder = cache_folder()
    freed = prune_folder(folder, bound) + prune_installers(folder, bound, env=os.environ)
    _tell(freed, as_json=as_json)


@cache.command("clear")
def clear(as_json: JsonOption = False) -> None:
    """Remove all that Castoff keeps for builds, the asset tools that it fetched among it."""
    from castoff.builder.cache_space import clear as clear_folder
    from castoff.cli.cache_place import cache_folder

    _tell(clear_folder(cache_folder()), as_json=as_json)


def _tell(freed: int, *, as_json: bool) -> None:
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.sizes import size

    if as_json:
        print_json({"freed": freed})
    else:
        typer.echo(f"{size(freed)} freed")
