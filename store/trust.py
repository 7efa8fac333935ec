"""Who vouches for a version, as far as that can be told; for people who ask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from castoff.store import signature as signatures
from castoff.store.errors import Untrusted
from castoff.store.sshsig import fingerprint


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a signature is worth.

    Attributes:
        signed: Whether there is one; it fits the manifest.
        key: Fingerprint of the key that made it; empty where there is none.
        signer: Whose key that is by the allowed signers file; empty where nobody said.
        text: All that in words.
    """

    signed: bool
    key: str
    signer: str
    text: str


def judge(
    manifest: bytes,
    signature: bytes | None,
    signers: Path | None,
    *,
    needed: bool,
    app: str,
    version: str,
) -> Verdict:
    """Say who signed a manifest.

    Args:
        manifest: Its exact bytes.
        signature: The signature, or None if there is none.
        signers: The allowed signers file; one that is not there allows nobody and forbids
            nobody, unless a signature is needed.
        needed: Whether there has to be one that counts.
        app: The app, for messages.
        version: The version, for messages.

    Raises:
        Untrusted: The signature does not fit; or there is a file of signers that does not allow
            its key; or one is needed and there is none, or no file.
    """
    what = f"{app} {version}"
    if signature is None:
        if needed:
            raise Untrusted(
                f"{what} is not signed",
                hint=f"If it is what it should be: castoff sign {version}",
            )
        return Verdict(signed=False, key="", signer="", text="none")
    key = fingerprint(signatures.check(manifest, signature, what=what).public_key)
    if signers is None or not (signers.is_file() or needed):
        if needed:
            raise Untrusted(
                f"{what} is signed by {key}, and nothing says whose signatures count",
                hint=f"Name the allowed signers file: castoff verify {version} --signers FILE",
            )
        return Verdict(True, key, "", f"by {key}; nothing here says whose that is")
    signer = signatures.verify(manifest, signature, signers, what=what)
    return Verdict(True, key, signer, f"by {signer} ({key})")
