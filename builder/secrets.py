"""Refuse a tree that holds secrets: a release lies on every server, and in the store for good.

Names tell of some (`.env`, `.git`, `id_rsa`), content of others. The detectors for tokens are those
of detect-secrets, and of them only the ones that are nearly always right; it is never let near the
network to try a token out. They read all that is the project's own. Packages of others hold
documentation and tests full of example tokens, so these are only searched for whole private keys
and repositories. docs/explanation/supply-chain.md has the figures.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from castoff.builder.credentials import credentials
from castoff.store.digest import sha256_file
from castoff.store.errors import CastoffError, ExitCode

if TYPE_CHECKING:
    from detect_secrets.plugins.base import BasePlugin

_REPOSITORIES = (".git", ".hg", ".svn")
# Against the whole path where there is a slash in it, else against the file's name.
_NAMES = {
    ".env": "environment variables, where passwords stand",
    ".env.*": "environment variables, where passwords stand",
    "*.env": "environment variables, where passwords stand",
    ".envrc": "environment variables, where passwords stand",
    "id_rsa": "an SSH key",
    "id_dsa": "an SSH key",
    "id_ecdsa": "an SSH key",
    "id_ed25519": "an SSH key",
    "id_*_sk": "an SSH key",
    "*.ppk": "an SSH key",
    "*.p12": "a store of private keys",
    "*.pfx": "a store of private keys",
    "*.jks": "a store of private keys",
    "*.keystore": "a store of private keys",
    "*.kdbx": "a store of passwords",
    "*.tfstate": "Terraform's state, which holds secrets in plain text",
    ".netrc": "login names and passwords",
    ".pgpass": "login names and passwords",
    ".htpasswd": "login names and passwords",
    ".git-credentials": "login names and passwords",
    ".pypirc": "credentials of a package index",
    "*.aws/credentials": "cloud credentials",
    "application_default_credentials.json": "cloud credentials",
    "*.azure/accessTokens.json": "cloud credentials",
    "*.azure/msal_token_cache.*": "cloud credentials",
    "*.docker/config.json": "credentials of a registry",
    "*.kube/config": "credentials of a cluster",
}
_HARMLESS = (
    ".env.example", ".env.sample", ".env.template", ".env.dist",
    "example.env", "sample.env", "template.env", "dist.env",
)  # fmt: skip
# A marker alone is no key: libraries that read keys are full of them. What follows it decides.
_PRIVATE_KEY = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
    rb"(?:\\[nr]|[\s\"'+,;\\]|[A-Za-z-]+: [^\n\\]{0,200}(?=[\n\\]))*"
    rb"[A-Za-z0-9+/]{40}"
    rb"|PuTTY-User-Key-File-[23]: \S+\r?\n(?:[^\n]*\n){1,40}?Private-Lines: \d"
    rb"|AGE-SECRET-KEY-1[0-9A-Z]{58}"
)
_DETECTORS = (
    ("aws", "AWSKeyDetector"),
    ("azure_storage_key", "AzureStorageKeyDetector"),
    ("discord", "DiscordBotTokenDetector"),
    ("github_token", "GitHubTokenDetector"),
    ("gitlab_token", "GitLabTokenDetector"),
    ("mailchimp", "MailchimpDetector"),
    ("npm", "NpmDetector"),
    ("openai", "OpenAIDetector"),
    ("pypi_token", "PypiTokenDetector"),
    ("sendgrid", "SendGridDetector"),
    ("slack", "SlackDetector"),
    ("square_oauth", "SquareOAuthDetector"),
    ("stripe", "StripeDetector"),
)
# Amazon's own documentation uses keys that end so, and gives out no others.
_EXAMPLE = "EXAMPLE"
_HEAD = 8000  # as far as git looks for a NUL to tell binary files from text
# Bytes: a file of gigabytes is read in pieces, and searched as far beyond each as a key may reach.
_PIECE = 16 * 1024 * 1024
_LONGEST_KEY = 64 * 1024
_LONGEST_LINE = 1024 * 1024
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Secret:
    """A place in the tree where a secret seems to be.

    Attributes:
        path: From the top of the tree.
        line: Counted from 1; None where the file's name says it all.
        what: What it seems to be; never the secret itself.
        sha256: The file's digest; empty for a folder.
    """

    path: str
    line: int | None
    what: str
    sha256: str


class SecretFound(CastoffError):
    """The tree seems to hold secrets.

    Attributes:
        secrets: All of them.
    """

    exit_code = ExitCode.SOURCE

    def __init__(self, secrets: Sequence[Secret]) -> None:
        lines = [f"  {one.path}{_at(one.line)}: {one.what}" for one in secrets[:_MOST_NAMED]]
        if len(secrets) > _MOST_NAMED:
            lines.append(f"  and {len(secrets) - _MOST_NAMED} more")
        allowed = dict.fromkeys(f'"{o.path}@sha256:{o.sha256}"' for o in secrets if o.sha256)
        super().__init__(
            "\n".join(["the release would hold what looks like secrets", *lines]),
            hint="Keep secrets out of git, and put them on hosts: see `shared` in castoff.toml. "
            "Leave files out of the release: in app/ with `exclude`, in lib/ by what the project "
            "puts into its wheel.\n"
            "If a file is harmless, say so of just these bytes, under [apps.NAME.build]:\n"
            f"allow_secrets = [{', '.join(list(allowed)[:_MOST_NAMED])}]",
        )
        self.secrets = tuple(secrets)


def check_secrets(tree: Path, *, own: Collection[str], allow: Sequence[str]) -> None:
    """Look at every file of a release's tree before it is packed.

    Args:
        tree: Its top; what does not lie in `lib/` is the project's own.
        own: Files in `lib/` that are the project's own too, relative to `lib/`.
        allow: Harmless files, each as `path@sha256:digest`.

    Raises:
        SecretFound: Some file, which `allow` does not name with its digest, looks like a secret
            or holds one; the message names each with its line.
        OSError: A file cannot be read.
    """
    allowed = frozenset(allow)
    detectors = _detectors()
    found: list[Secret] = []
    for path in _files(tree):
        third_party = path.startswith("lib/") and path.removeprefix("lib/") not in own
        secrets = list(_look(tree / path, path, () if third_party else detectors, third_party))
        if secrets and f"{path}@sha256:{secrets[0].sha256}" not in allowed:
            found += secrets
    found += [
        Secret(folder, None, "a repository with all its history", "")
        for folder in _repositories(tree)
    ]
    if found:
        raise SecretFound(sorted(found, key=lambda one: (one.path, one.line or 0)))


def _look(
    file: Path, path: str, detectors: Sequence[BasePlugin], third_party: bool
) -> Iterator[Secret]:
    named = None if third_party else _by_name(path)
    lines = dict(_by_content(file, detectors))
    if named is None and not lines:
        return
    digest = sha256_file(file)
    if named is not None:
        yield Secret(path, None, named, digest)
    for line, what in lines.items():
        yield Secret(path, line, what, digest)


def _by_name(path: str) -> str | None:
    name = path.rpartition("/")[2]
    if name in _HARMLESS:
        return None
    for pattern, what in _NAMES.items():
        if fnmatchcase(path if "/" in pattern else name, pattern):
            return what
    return None


def _by_content(file: Path, detectors: Sequence[BasePlugin]) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file that hold secrets, and what each is."""
    # Byte code holds what its source holds.
    if not file.stat().st_size or file.suffix == ".pyc":
        return
    with file.open("rb") as opened:
        for number in _lines_of_keys(opened):
            yield number, "a private key"
        opened.seek(0)
        if not detectors or b"\0" in opened.read(_HEAD):
            return
        opened.seek(0)
        before = 0
        # Whole lines, a piece of the file in memory at a time.
        while piece := opened.read(_PIECE) + opened.readline(_LONGEST_LINE):
            text = piece.decode("utf-8", "replace")
            for number, what in (*_lines_of_tokens(text, detectors), *credentials(file.name, text)):
                yield before + number, what
            before += piece.count(b"\n")


def _lines_of_tokens(text: str, detectors: Sequence[BasePlugin]) -> Iterator[tuple[int, str]]:
    # The whole text first: one search a detector, where lines would take one each.
    suspicious = [detector for detector in detectors if _finds(detector, text)]
    for number, line in enumerate(text.split("\n") if suspicious else (), start=1):
        for detector in suspicious:
            if _finds(detector, line):
                yield number, detector.secret_type


def _lines_of_keys(file: BinaryIO) -> Iterator[int]:
    """Yield the lines where private keys begin, a piece of the file in memory at a time."""
    line, piece = 1, file.read(_PIECE)
    while piece:
        following = file.read(_PIECE)
        for match in _PRIVATE_KEY.finditer(piece + following[:_LONGEST_KEY]):
            # One that begins behind the piece is found in the following one.
            if match.start() < len(piece):
                yield line + piece.count(b"\n", 0, match.start())
        line += piece.count(b"\n")
        piece = following


def _finds(detector: BasePlugin, text: str) -> bool:
    # Only the matching of text: the detectors' other ways in would ask Amazon and others.
    return any(not found.endswith(_EXAMPLE) for found in detector.analyze_string(text))


def _detectors() -> tuple[BasePlugin, ...]:
    from importlib import import_module

    return tuple(
        getattr(import_module(f"detect_secrets.plugins.{module}"), name)()
        for module, name in _DETECTORS
    )


def _files(tree: Path) -> Iterator[str]:
    for folder, names, files in os.walk(tree):
        names.sort()
        for name in sorted(files):
            path = Path(folder) / name
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(tree).as_posix()


def _repositories(tree: Path) -> Iterator[str]:
    for folder, names, files in os.walk(tree):
        for name in sorted({*names, *files} & set(_REPOSITORIES)):
            yield (Path(folder) / name).relative_to(tree).as_posix()


def _at(line: int | None) -> str:
    return "" if line is None else f":{line}"
