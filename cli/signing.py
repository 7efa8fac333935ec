"""Sign an artifact and say by which key; shared by `build` and `sign`."""

from __future__ import annotations

from pathlib import Path

import typer

from castoff.store.companions import sign_local
from castoff.store.local_artifact import LocalArtifact
from castoff.store.sshsig import fingerprint, read_envelope


def sign_and_tell(artifact: LocalArtifact, key: Path) -> str:
    """Sign; return a line for the person.

    Raises:
        SigningFailed: ssh-keygen cannot sign with the key.
        StoreError: The signature cannot be written.
    """
    # ssh-keygen's own request to touch the key cannot be seen, as its words are kept for errors.
    typer.echo(f"signing with {key}; a hardware key waits to be touched", err=True)
    path = sign_local(artifact, key)
    signed_by = fingerprint(read_envelope(path.read_bytes()).public_key)
    manifest = artifact.manifest
    return f"signed {manifest.app} {manifest.version} by {signed_by}: {path}"
