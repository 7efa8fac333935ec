"""Options that several commands share, so that they read alike everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from castoff.cli.completion import apps, built_versions, environments, stored_versions


def as_text(value: str | None) -> str | None:
    """Return a word of the command line, in which bytes that are no text become U+FFFD.

    It is for documents, which are UTF-8, and not for the names of files.
    """
    if value is None:
        return None
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="The castoff.toml to use; default: here or in a folder above."
    ),
]
AppOption = Annotated[
    str | None,
    typer.Option("--app", help="Which app, where castoff.toml has several.", autocompletion=apps),
]
EnvironmentOption = Annotated[
    str | None,
    typer.Option(
        "--env",
        "-e",
        help="Which environment, where there are several.",
        autocompletion=environments,
    ),
]
ConcurrencyOption = Annotated[
    int | None,
    typer.Option(
        "--concurrency",
        min=1,
        max=1_024,
        metavar="N",
        help="Connect to so many hosts at once; default: as castoff.toml says, or 64.",
    ),
]
MaxRateOption = Annotated[
    str | None,
    typer.Option(
        "--max-rate",
        metavar="RATE",
        help="Bytes a second of the archive to each host, as in 20M; default: castoff.toml's.",
    ),
]
NoPeersOption = Annotated[
    bool,
    typer.Option("--no-peers", help="Let no host fetch from another, whatever castoff.toml says."),
]
MaxRateTotalOption = Annotated[
    str | None,
    typer.Option(
        "--max-rate-total",
        metavar="RATE",
        help="The same for all hosts together, divided among those that lack the version.",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output.")
]
VersionArgument = Annotated[
    str,
    typer.Argument(
        metavar="VERSION", help="A version in the store.", autocompletion=stored_versions
    ),
]
BuiltArgument = Annotated[
    str,
    typer.Argument(
        metavar="VERSION", help="A version in artifacts/.", autocompletion=built_versions
    ),
]
OnlyOption = Annotated[
    str | None,
    typer.Option(
        "--only",
        metavar="HOST,…",
        help="These hosts alone; `role:NAME` stands for all that have a role.",
    ),
]
ExceptOption = Annotated[
    str | None, typer.Option("--except", metavar="HOST,…", help="All hosts but these.")
]
RoleOption = Annotated[str | None, typer.Option("--role", help="Hosts with this role alone.")]
MaintenanceOption = Annotated[
    bool,
    typer.Option(
        "--maintenance",
        help="Serve the maintenance page from the once-only steps until all hosts are healthy.",
    ),
]
AllowIncompatibleOption = Annotated[
    bool,
    typer.Option(
        "--allow-incompatible",
        help="Go on although the version may not live with migrations that were run; the history "
        "keeps that.",
    ),
]
StayOption = Annotated[
    bool,
    typer.Option(
        "--stay-in-maintenance", help="Leave the maintenance page on if the release fails."
    ),
]
YesOption = Annotated[
    bool, typer.Option("--yes", help="Answer the strategy's question with yes, in advance.")
]
EntryArgument = Annotated[
    int | None,
    typer.Argument(metavar="[N]", min=1, help="Number of an entry; `castoff history` has them."),
]
ArtifactArgument = Annotated[
    str,
    typer.Argument(
        metavar="ARTIFACT",
        help="An archive or manifest by its path, or a version in artifacts/ or in the store.",
        autocompletion=stored_versions,
    ),
]
ArtifactHere = Annotated[
    str | None,
    typer.Argument(
        metavar="[ARTIFACT]",
        help="An archive or manifest by its path, or a version in artifacts/ or in the store.",
        autocompletion=stored_versions,
    ),
]
StoreOption = Annotated[
    bool, typer.Option("--store", help="Look in the store, even if artifacts/ has the version too.")
]
