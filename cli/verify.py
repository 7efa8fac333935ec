"""`castoff verify`: check a version down to the content of each file, and who signed it.

With `--env` it is the releases on hosts that are checked: `verify_hosts.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from castoff.cli.options import (
    AppOption,
    ArtifactHere,
    ConcurrencyOption,
    ConfigOption,
    EnvironmentOption,
    ExceptOption,
    JsonOption,
    OnlyOption,
    StoreOption,
)
from castoff.store.errors import UsageError
from castoff.store.version import check_version

if TYPE_CHECKING:
    from castoff.store.find import Found


def verify(
    artifact: ArtifactHere = None,
    signed: Annotated[
        bool,
        typer.Option("--signed", help="Fail unless somebody signed it whose signature counts."),
    ] = False,
    signers: Annotated[
        Path | None,
        typer.Option(
            "--signers", help="Allowed signers file; default: the one that castoff.toml names."
        ),
    ] = None,
    store: StoreOption = False,
    environment: EnvironmentOption = None,
    version: Annotated[
        str | None,
        typer.Option("--version", help="With --env: this version; default: what each host serves."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="With --env: all releases that the hosts have.")
    ] = False,
    only: OnlyOption = None,
    without: ExceptOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check every digest of a version: archive, file table, members, each file, the tree.

    The archive is unpacked in memory and nowhere else. A signature is checked if there is one,
    and against the allowed signers if there are any.

    With --env instead of ARTIFACT, the environment's hosts read what lies there again, file by
    file, all at once; whatever was changed, is missing or does not belong there is named.
    """
    of_artifact = bool(artifact or signed or signers or store)
    of_hosts = bool(environment or version or every or only or without)
    if of_artifact == of_hosts or (of_hosts and environment is None) or (version and every):
        raise UsageError(
            "name either an ARTIFACT, or with --env the environment whose hosts are to be checked",
            hint="castoff verify VERSION\n"
            "castoff verify --env NAME [--version VERSION | --all] [--only HOST,…]",
        )
    if environment is not None:
        from castoff.cli.scope import chosen_scope
        from castoff.cli.verify_hosts import verify_on_hosts

        if version is not None:
            check_version(version)
        scope = chosen_scope(
            config, app, environment, only, without, writes=False, concurrency=concurrency
        )
        verify_on_hosts(scope, version, every=every, as_json=as_json)
        return
    if artifact is None:
        raise UsageError("name an ARTIFACT", hint="castoff verify VERSION")
    from castoff.cli.artifact import find
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.sizes import size
    from castoff.store.trust import judge
    from castoff.store.verify import verify_archive

    found = find(artifact, config, app, in_store=store)
    manifest = found.manifest
    if signers is None:
        signers = _configured_signers(artifact, config, app)
    verdict = judge(
        found.manifest_bytes,
        found.signature,
        signers,
        needed=signed,
        app=manifest.app,
        version=manifest.version,
    )
    with _archive(found, config, app) as archive:
        checked = verify_archive(archive, manifest, found.table)
    if as_json:
        print_json(
            {
                "app": manifest.app,
                "version": manifest.version,
                "origin": found.origin,
                "members": checked.members,
                "files": checked.files,
                "size": checked.size,
                "archive_sha256": manifest.archive.sha256,
                "tree_sha256": manifest.tree_sha256,
                "signed": verdict.signed,
                "key": verdict.key,
                "signer": verdict.signer,
            }
        )
        return
    typer.echo(
        f"{manifest.app} {manifest.version} is whole: {found.origin}\n"
        f"  archive   {manifest.archive.sha256} ({size(manifest.archive.size)})\n"
        f"  tree      {manifest.tree_sha256}\n"
        f"  content   {checked.files} files, {size(checked.size)}, in {checked.members} members\n"
        f"  signature {verdict.text}"
    )


def _configured_signers(artifact: str, config: Path | None, app: str | None) -> Path | None:
    """Return the project's file of signers; None for a path that no configuration goes with."""
    from castoff.cli.artifact import is_path
    from castoff.cli.project import open_project

    if is_path(artifact) and config is None:
        return None
    return open_project(config, app).signers


@contextmanager
def _archive(found: Found, config: Path | None, app: str | None) -> Iterator[Path]:
    """Yield the archive on this machine; one of a store elsewhere is fetched for as long."""
    from castoff.cli.project import open_project
    from castoff.cli.render.transfer import transfer
    from castoff.store import keys

    if found.archive is not None:
        yield found.archive
        return
    manifest = found.manifest
    key = keys.blob(manifest.app, manifest.version, manifest.archive.name)
    import tempfile

    with tempfile.TemporaryDirectory(prefix="castoff-") as folder:
        path = Path(folder) / manifest.archive.name
        with transfer(f"fetch {manifest.version}", manifest.archive.size) as progress:
            open_project(config, app).store().download(
                key, path, sha256=manifest.archive.sha256, progress=progress
            )
        yield path
