"""`castoff policy`: the least rights that each part needs on the store's bucket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from castoff.cli.options import AppOption, ConfigOption
from castoff.store.errors import UsageError

if TYPE_CHECKING:
    from castoff.cli.project import Project
    from castoff.store.rights import Role, SiteBucket

_ROLES: tuple[Role, ...] = ("builder", "releaser", "host", "collector")


def policy(
    role: Annotated[str, typer.Argument(metavar="ROLE", help=", ".join(_ROLES) + ".")],
    partition: Annotated[
        str, typer.Option("--partition", help="aws, aws-cn or aws-us-gov.")
    ] = "aws",
    app: AppOption = None,
    config: ConfigOption = None,
) -> None:
    """Print the AWS IAM policy for a role: just the rights that it needs, on just its keys.

    The builder pushes and signs, and changes no environment; it reads which releases were good, for
    patches from those. The releaser reads what was pushed and writes channels, locks, history and
    sites; hosts fetch by URLs that it signs for an hour, so they need no policy unless they are to
    fetch by themselves. The collector is for `castoff gc`.
    """
    from castoff.cli.project import open_project
    from castoff.store.rights import Bucket
    from castoff.store.rights import policy as rights

    chosen = next((one for one in _ROLES if one == role), None)
    if chosen is None:
        raise UsageError(f"no such role: {role}", hint=f"There is: {', '.join(_ROLES)}.")
    project = open_project(config, app)
    url = project.loaded.config.store.url
    if not url.startswith("s3://"):
        raise UsageError(
            f"{url} is no bucket: there are no policies for it",
            hint="On a file:// store, the rights on its folder are what counts.",
        )
    cdn, place = project.recipe.cdn, project.place()
    public = None
    if place is not None and place.url.startswith("s3://"):
        public = Bucket.at(place.url, partition=partition)
    document = rights(
        chosen,
        project.app,
        Bucket.at(url, partition=partition),
        place=public,
        cors=bool(cdn is not None and cdn.allow_origins),
        sites=_sites(project, partition),
    )
    typer.echo(json.dumps(document, indent=2))


def _sites(project: Project, partition: str) -> list[SiteBucket]:
    """Return those sites of the project's environments that are in buckets."""
    from castoff.store.rights import Bucket, SiteBucket

    found = []
    for environment in project.loaded.config.environments.values():
        site = environment.site
        url = "" if site is None else site.store_of(project.app)
        if site is not None and url.startswith("s3://"):
            found.append(
                SiteBucket(
                    Bucket.at(url, partition=partition),
                    site.cloudfront,
                    collected=site.switch == "copy" and project.recipe.cdn is None,
                )
            )
    return found
