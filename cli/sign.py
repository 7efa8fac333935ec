"""`castoff sign`: sign a version that was built earlier."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from castoff.cli.options import AppOption, BuiltArgument, ConfigOption
from castoff.store.version import check_version


def sign(
    version: BuiltArgument,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key", help="SSH key to sign with; default: the one that castoff.toml names."
        ),
    ] = None,
    app: AppOption = None,
    config: ConfigOption = None,
) -> None:
    """Sign a version in artifacts/ with an SSH key; all its digests are checked first.

    A signature that is there already is replaced. `castoff push` brings it to the store, also
    when the version itself is there.
    """
    from castoff.cli.project import open_project
    from castoff.cli.signing import sign_and_tell
    from castoff.store.errors import UsageError
    from castoff.store.local_artifact import load_local, verify_local

    check_version(version)
    project = open_project(config, app)
    chosen = key if key is not None else project.signing_key
    if chosen is None:
        raise UsageError(
            "no key to sign with",
            hint="Set [signing] key in castoff.toml, or name one: "
            f"castoff sign {version} --key FILE",
        )
    artifact = load_local(project.artifacts, project.app, version)
    verify_local(artifact)
    typer.echo(sign_and_tell(artifact, chosen))
