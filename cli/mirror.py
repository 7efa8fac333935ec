"""`castoff mirror`: versions from one store to another, verified on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from castoff.cli.options import AppOption, ConfigOption, JsonOption
from castoff.store.counted import counted
from castoff.store.errors import UsageError
from castoff.store.version import check_version

if TYPE_CHECKING:
    from pathlib import Path

    from castoff.cli.project import Project
    from castoff.store.backend import Store

_ENDPOINT = "Server of the other store, if it is S3 and not AWS."


def mirror(
    versions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[VERSION]...", help="What to copy; default: all that is not there."
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="URL", help="Copy from [store] to this store.")
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="URL", help="Copy from this store to [store].")
    ] = None,
    endpoint_url: Annotated[str | None, typer.Option("--endpoint-url", help=_ENDPOINT)] = None,
    region: Annotated[
        str | None, typer.Option("--region", help="Region of the other store.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", help="AWS profile for the other store.")
    ] = None,
    app: AppOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy versions between stores: to another region, or by way of a disk to where no wire goes.

    Every byte is checked against the manifest on its way, and the manifest comes last. Signatures,
    bills of materials and provenance go with each version, and its patches from versions that are
    there, too. What is there already with the same bytes is left; with other bytes it is refused.
    """
    import tempfile
    from pathlib import Path

    from castoff.cli.cache_place import cache_folder
    from castoff.cli.project import open_project
    from castoff.cli.render.json_out import print_json
    from castoff.store import artifacts, condemned
    from castoff.store.open import open_store
    from castoff.store.probe import probe
    from castoff.store.take import take

    if (to is None) == (from_ is None):
        raise UsageError("name the other store: either --to URL or --from URL")
    for version in versions or ():
        check_version(version)
    project = open_project(config, app)
    other = open_store(
        to or from_ or "",
        base=Path.cwd(),
        endpoint_url=endpoint_url,
        region=region,
        profile=profile,
    )
    source, target = (project.store(), other) if to else (other, project.store())
    if source.identity == target.identity:
        raise UsageError(f"{target.url} is the very store that would be copied from")
    probe(target, cache=cache_folder())
    wanted = list(versions or _missing(source, target, project))
    copied: list[str] = []
    left: list[str] = []
    patches: dict[str, list[str]] = {}
    troubles: dict[str, str] = {}
    for version in wanted:
        condemned.spare(target, project.app, version=version)
        with tempfile.TemporaryDirectory(prefix="castoff-mirror-") as folder:
            artifact = take(source, project.app, version, Path(folder))
            created = artifacts.push(target, artifact).created
            bases, trouble = _copy_patches(source, target, project.app, version, Path(folder))
        (copied if created else left).append(version)
        if bases:
            patches[version] = bases
        if trouble:
            troubles[version] = trouble
        if not as_json:
            more = f", {len(bases)} patch(es) copied" if bases else ""
            typer.echo(f"{project.app} {version}: {'copied' if created else 'was there'}{more}")
    if as_json:
        facts = {"app": project.app, "from": source.url, "to": target.url}
        print_json(
            {
                **facts,
                "copied": copied,
                "already_there": left,
                "patches": patches,
                "patches_trouble": troubles,
            }
        )
        return
    typer.echo(f"{counted(len(copied), 'version')} copied from {source.url} to {target.url}")


def _copy_patches(
    source: Store, target: Store, app: str, version: str, folder: Path
) -> tuple[list[str], str]:
    """Copy patches; return the versions that they are from, and what kept others from coming.

    That is told, too, and no more: nothing depends on a patch.
    """
    from castoff.store import patch
    from castoff.store.errors import CastoffError

    copied: list[str] = []
    try:
        copied.extend(patch.copy(source, target, app, version, folder))
    except CastoffError as error:
        typer.echo(f"{app} {version}: not all patches were copied: {error.message}", err=True)
        return copied, error.message
    return copied, ""


def _missing(source: Store, target: Store, project: Project) -> list[str]:
    """Return the versions that the target lacks, oldest first."""
    from castoff.store.listing import versions

    there = {info.version for info in versions(target, project.app)}
    return [i.version for i in reversed(versions(source, project.app)) if i.version not in there]
