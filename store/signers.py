"""The allowed signers file: whose signatures count.

The form is that of ssh-keygen(1), section ALLOWED SIGNERS, so git and ssh-keygen read it too:
`principals [options] keytype base64-key [comment]`, one a line. ssh-keygen alone decides what an
entry allows; this reads the file to show it, and adds to it.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from pathlib import Path

from castoff.store.durable import make_directory, new_file
from castoff.store.errors import StoreError, UsageError
from castoff.store.signature import NAMESPACE
from castoff.store.sshsig import fingerprint, take_string

# A field ends at white space, but not within double quotes.
_FIELD = re.compile(r'((?:[^\s"]|"(?:[^"\\]|\\.)*")+)\s*')
_KEY_TYPE = re.compile(r"(?:sk-)?(?:ssh-|ecdsa-sha2-)[a-z0-9@.-]+")
_PRINCIPAL = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+@-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An SSH public key.

    Attributes:
        kind: `ssh-ed25519`, `sk-ssh-ed25519@openssh.com`, …
        blob: The key in SSH's wire format.
        comment: What follows it in its file.
    """

    kind: str
    blob: bytes
    comment: str

    @property
    def fingerprint(self) -> str:
        """What ssh-keygen and ssh-add print for it."""
        return fingerprint(self.blob)


@dataclass(frozen=True, slots=True)
class Signer:
    """One line of the file.

    Attributes:
        principals: The signer's names, as written.
        options: What limits the key, as written; empty where nothing does.
    """

    principals: str
    options: str
    key: PublicKey


def read_signers(path: Path) -> tuple[Signer, ...]:
    """Return the entries of the file in their order; none if there is no such file.

    Raises:
        StoreError: It cannot be read, or a line of it cannot.
    """
    found = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        text = line.strip()
        if text and not text.startswith("#"):
            try:
                found.append(_signer(text))
            except ValueError as error:
                raise StoreError(
                    f"{path}:{number}: not an entry of an allowed signers file: {error}",
                    hint="ssh-keygen(1) describes the form; `castoff keys add` writes entries.",
                ) from error
    return tuple(found)


def read_public_key(path: Path) -> PublicKey:
    """Read a public key file, `id_ed25519.pub` for one.

    Raises:
        UsageError: It is not there, or holds none.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as a public key") from error
    if "PRIVATE KEY" in text:
        raise UsageError(
            f"{path} is a private key, which never leaves its owner",
            hint=f"Name its public half: {path}.pub",
        )
    try:
        return _public_key(text.strip())
    except ValueError as error:
        raise UsageError(
            f"{path}: not an SSH public key: {error}",
            hint="It is one line: the kind of key, the key in base64, and a comment.",
        ) from error


def add_signer(path: Path, name: str, key: PublicKey) -> bool:
    """Let a key's signatures on manifests count.

    Args:
        path: The file; it is made if it is not there, and replaced whole if it is.
        name: The signer's name: an e-mail address, or any word.
        key: Their public key.

    Returns:
        Whether anything was to be done: False if the file says so already.

    Raises:
        UsageError: The name could be read as a pattern, or the key is in the file as somebody
            else's.
        StoreError: The file cannot be read or written.
    """
    if not _PRINCIPAL.fullmatch(name):
        raise UsageError(
            f"not a signer's name: {name!r}",
            hint="It starts with a letter or digit and has only A-Za-z0-9._+@-",
        )
    for signer in read_signers(path):
        if signer.key.blob == key.blob:
            if signer.principals == name:
                return False
            raise UsageError(
                f"{path}: {key.fingerprint} is there already, as {signer.principals}",
                hint="One key is one signer; remove that line if it is wrong.",
            )
    encoded = base64.b64encode(key.blob).decode()
    line = f'{name} namespaces="{NAMESPACE}" {key.kind} {encoded} {key.comment}'.rstrip()
    before = _text(path)
    gap = "" if not before or before.endswith("\n") else "\n"
    try:
        make_directory(path.parent)
        with new_file(path) as file:
            file.write(f"{before}{gap}{line}\n".encode())
            file.replace()
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
    return True


def _signer(line: str) -> Signer:
    first = _FIELD.match(line)
    if first is None:
        raise ValueError("no name")
    rest = line[first.end() :]
    second = _FIELD.match(rest)
    if second is None:
        raise ValueError("no key")
    options = ""
    if not _KEY_TYPE.fullmatch(second[1]):
        options, rest = second[1], rest[second.end() :]
    return Signer(first[1].strip('"'), options, _public_key(rest))


def _public_key(text: str) -> PublicKey:
    kind, _, rest = text.partition(" ")
    encoded, _, comment = rest.strip().partition(" ")
    if not _KEY_TYPE.fullmatch(kind):
        raise ValueError("no known kind of key")
    try:
        blob = base64.b64decode(encoded, validate=True)
        named, _ = take_string(blob)
    except (binascii.Error, ValueError) as error:
        raise ValueError("a damaged key") from error
    if named != kind.encode() or "\n" in comment:
        raise ValueError("a damaged key")
    return PublicKey(kind, blob, comment.strip())


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: cannot be read as an allowed signers file") from error
