"""`castoff notes`: what a version brings, from the commits since another one."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from castoff.cli.completion import stored_versions
from castoff.cli.options import AppOption, ConfigOption, EnvironmentOption
from castoff.store.version import check_version


def notes(
    version: Annotated[
        str | None,
        typer.Argument(
            metavar="[VERSION]",
            help="Which; default: what the environment serves.",
            autocompletion=stored_versions,
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="VERSION",
            help="The version before; default: what the environment served before, or for a "
            "version that is not live, what it serves.",
        ),
    ] = None,
    environment: EnvironmentOption = None,
    form: Annotated[
        Literal["text", "markdown", "json"],
        typer.Option("--format", "-f", help="How they are written."),
    ] = "text",
    app: AppOption = None,
    config: ConfigOption = None,
) -> None:
    """Write release notes: the commits that a version has and the one before it has not.

    They are sorted by type where most subjects are in the form of Conventional Commits, and have
    links where the repository was cloned from GitHub or GitLab.
    """
    from castoff.cli.project import open_project
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.plain_text import plain
    from castoff.cli.scope import repository
    from castoff.config.select import select_environment
    from castoff.releaser.notes.between import Lineage, check_known
    from castoff.releaser.notes.write import as_json, markdown, text

    for name in (version, since):
        if name is not None:
            check_version(name)
    project = open_project(config, app)
    needed = version is None or since is None or environment is not None
    chosen = select_environment(project.loaded.config, environment)[0] if needed else None
    lineage = Lineage(project.store(), project.app, chosen, repository(project, most=None))
    made = check_known(lineage.notes(version, since))
    if form == "json":
        print_json(as_json(made))
    else:
        typer.echo(plain(markdown(made) if form == "markdown" else text(made)), nl=False)
