"""`castoff keys`: whose signatures count, and who signed what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from castoff.cli.options import AppOption, ConfigOption, JsonOption

keys = typer.Typer(
    help="Say whose signatures count, and see who signed what.", no_args_is_help=True
)


@keys.command("list")
def list_keys(
    app: AppOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the allowed signers, and which versions in the store each of them signed."""
    from castoff.cli.project import open_project
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.tables import print_table
    from castoff.store.signed import signed_versions
    from castoff.store.signers import read_signers

    project = open_project(config, app)
    signers = read_signers(project.signers)
    signed = signed_versions(project.store(), project.app, project.signers)
    if as_json:
        print_json(
            {
                "file": str(project.signers),
                "signers": [
                    {
                        "name": signer.principals,
                        "key": signer.key.fingerprint,
                        "type": signer.key.kind,
                        "options": signer.options,
                        "versions": [
                            one.version
                            for one in signed
                            if one.counts and one.key == signer.key.fingerprint
                        ],
                    }
                    for signer in signers
                ],
                "others": [
                    {"version": one.version, "key": one.key, "trouble": one.trouble}
                    for one in signed
                    if not one.counts
                ],
            }
        )
        return
    if signers:
        print_table(
            ("signer", "key", "type", "limits", "signed"),
            [
                (
                    signer.principals,
                    signer.key.fingerprint,
                    signer.key.kind,
                    signer.options or "-",
                    " ".join(
                        one.version
                        for one in signed
                        if one.counts and one.key == signer.key.fingerprint
                    )
                    or "-",
                )
                for signer in signers
            ],
        )
    else:
        typer.echo(
            f"nobody's signature counts yet: castoff keys add NAME KEY.pub ({project.signers})"
        )
    for one in signed:
        if not one.counts:
            typer.echo(f"{one.version}: {one.trouble}")


@keys.command("add")
def add(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The signer: an e-mail address, or any word.")
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Their public key, a .pub file.")],
    config: ConfigOption = None,
) -> None:
    """Let a key's signatures count: add it to the allowed signers file, which git should track."""
    from castoff.cli.project import load_config
    from castoff.store.signers import add_signer, read_public_key

    loaded = load_config(config)
    path = loaded.base / loaded.config.signing.signers
    key = read_public_key(file)
    if add_signer(path, name, key):
        typer.echo(f"{name} may sign with {key.fingerprint}; commit {path}")
    else:
        typer.echo(f"{name} could sign with {key.fingerprint} already: {path}")
