"""Signatures with SSH keys, made and checked by the real ssh-keygen.

A signature covers the manifest's exact bytes and is checked before they are parsed. The manifest
names everything else by digest. `ssh-keygen -Y` is documented in ssh-keygen(1); it signs with key
files, with keys in the SSH agent and with hardware keys, so all of these work here.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from castoff.store.errors import CastoffError, SigningFailed, Untrusted
from castoff.store.sshsig import Envelope, fingerprint, read_envelope

# Part of what is signed: a signature that the same key made for git or mail is none of ours.
NAMESPACE = "castoff-manifest-v1"

_PROGRAM = "ssh-keygen"
_INSTALL = "It is part of OpenSSH 8.2 or newer: on Debian, apt-get install openssh-client."
_LOAD = (
    "For a key with a passphrase, or the public half of a key, load the private half into the SSH "
    "agent first: ssh-add."
)
_PLUG_IN = (
    "The key is on hardware that is not plugged in here, or that is not the one it was made on."
)


def sign(data: bytes, key: Path) -> bytes:
    """Return an armoured SSH signature of `data`.

    Args:
        data: What to sign.
        key: A private key file, or a public key file whose private half is beside it or in the
            SSH agent. A key on hardware waits until it is touched; a passphrase is asked for on
            the terminal.

    Raises:
        SigningFailed: ssh-keygen is missing, or cannot use the key; its own words are shown.
    """
    check_key(key)
    done = _run(["sign", "-f", str(key), "-n", NAMESPACE], data, SigningFailed)
    if done.returncode != 0:
        raise SigningFailed(
            f"{key}: ssh-keygen cannot sign with it: {_last_line(done.stderr)}",
            hint=_way_out(done.stderr, key),
        )
    return done.stdout


def check_key(key: Path) -> None:
    """See that there is a key file, before much is done that is to be signed.

    Raises:
        SigningFailed: There is none.
    """
    if not key.is_file():
        raise SigningFailed(
            f"{key}: no such key file",
            hint="Set [signing] key in castoff.toml to an SSH key: a private key file, or the "
            "public half of one that the SSH agent holds.",
        )


def verify(data: bytes, signature: bytes, allowed_signers: Path, *, what: str = "it") -> str:
    """Check that somebody who is allowed to has signed exactly these bytes.

    Args:
        data: The bytes.
        signature: The armoured signature.
        allowed_signers: Who may sign; the form is that of ssh-keygen(1), ALLOWED SIGNERS.
        what: What the bytes are, for messages: `shop 1.0`.

    Returns:
        The signer, as the file calls them.

    Raises:
        Untrusted: It is no signature, was made for another purpose or over other bytes, or the
            key is not in the file, not for this purpose, or not at this time.
    """
    envelope = check(data, signature, what=what)
    if not allowed_signers.is_file():
        raise Untrusted(
            f"{allowed_signers}: there is no such file, so nobody's signature counts",
            hint="Say whose does: castoff keys add NAME KEY.pub",
        )
    with _file(signature) as path:
        check_with = ["-f", str(allowed_signers), "-s", str(path)]
        found = _run(["find-principals", *check_with], b"")
        reasons = [found.stderr]
        for principal in found.stdout.decode().splitlines() if found.returncode == 0 else []:
            verdict = _run(["verify", "-I", principal, "-n", NAMESPACE, *check_with], data)
            if verdict.returncode == 0:
                return principal
            reasons.append(verdict.stderr)
    raise _not_allowed(envelope, allowed_signers, reasons, what=what)


def check(data: bytes, signature: bytes, *, what: str = "it") -> Envelope:
    """Check that some key has signed exactly these bytes as a manifest, whoever owns it.

    Raises:
        Untrusted: It is no signature, or was made for another purpose or over other bytes.
    """
    try:
        envelope = read_envelope(signature)
    except ValueError as error:
        raise Untrusted(
            f"the signature of {what} cannot be read: it is {error}",
            hint="Sign the version again: castoff sign.",
        ) from error
    if envelope.namespace != NAMESPACE:
        raise Untrusted(
            f"the signature of {what} was made for {envelope.namespace!r}, not for {NAMESPACE!r}",
            hint="It is of something else: sign with castoff sign.",
        )
    with _file(signature) as path:
        checked = _run(["check-novalidate", "-n", NAMESPACE, "-s", str(path)], data)
    if checked.returncode != 0:
        raise Untrusted(
            f"the signature of {what} does not fit: {fingerprint(envelope.public_key)} signed "
            "other bytes",
            hint="The manifest or the signature was changed since, or one was put beside the "
            "other by mistake. Do not release it.",
        )
    return envelope


def _not_allowed(
    envelope: Envelope, allowed_signers: Path, reasons: Sequence[bytes], *, what: str
) -> Untrusted:
    # Only lines that begin with the file's name say something about an entry in it.
    lines = b"".join(reasons).decode(errors="replace").splitlines()
    told = [line for line in lines if line.startswith(f"{allowed_signers}:")]
    why = f": {told[0].removeprefix(f'{allowed_signers}:')}" if told else ""
    return Untrusted(
        f"{what} is signed by {fingerprint(envelope.public_key)}, whose signature does not count "
        f"by {allowed_signers}{why}",
        hint="If it should, its owner hands over the public key: castoff keys add NAME KEY.pub",
    )


@contextmanager
def _file(signature: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="castoff-") as folder:
        path = Path(folder) / "signature"
        path.write_bytes(signature)
        yield path


def _run(
    words: Sequence[str], data: bytes, kind: type[CastoffError] = Untrusted
) -> subprocess.CompletedProcess[bytes]:
    """Run `ssh-keygen -Y`, with `data` on its standard input."""
    argv = [_PROGRAM, "-Y", *words]
    try:
        return subprocess.run(argv, input=data, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise kind(f"the program {_PROGRAM} is not installed", hint=_INSTALL) from error


def _way_out(said: bytes, key: Path) -> str:
    if b"device not found" in said:
        return _PLUG_IN
    if b"UNPROTECTED PRIVATE KEY" in said:
        return f"Others may read it, so it is not used: chmod 600 {key}"
    return _LOAD


def _last_line(text: bytes) -> str:
    lines = text.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it says nothing"
