"""Refuse a tree that holds secrets: a release lies on every server, and in the store for good.

Names tell of some (`.env`, `.git`, `id_rsa`), content of others. The detectors for tokens are those
of detect-secrets, and of them only the ones that are nearly always right; it is never let near the
network to try a token out. They read all that is the project's own. Packages of others hold
documentation and tests full of example tokens, so these are only searched for whole private keys
and repositories. docs/explanation/supply-chain.md has the figures.

Every file is read for this, so its digest is taken on the way.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, BinaryIO

from castoff.builder.credentials import credentials
from castoff.builder.harmless import Harmless
from castoff.store.digest import sha256_file
from castoff.store.errors import CastoffError, ExitCode

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

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
# One of these is in all that it finds, and is looked for at twenty times its speed.
_HINTS = (b"PRIVATE KEY", b"PuTTY-User-Key-File-", b"AGE-SECRET-KEY-1")
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
_CLIENT = "requests"
_CODE = ".pyc"
_HEAD = 8000  # as far as git looks for a NUL to tell binary files from text
# Bytes: a file of gigabytes is read in pieces, and searched as far beyond each as a key may reach.
_PIECE = 16 * 1024 * 1024
_LONGEST_KEY = 64 * 1024
_LONGEST_LINE = 1024 * 1024
_MOST_NAMED = 20
# Files: from how many on it pays to start processes.
_MANY = 2000


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


def check_secrets(
    tree: Path,
    *,
    own: Collection[str],
    allow: Sequence[str],
    workers: int = 1,
    harmless: Harmless | None = None,
) -> Mapping[str, str]:
    """Look at every file of a release's tree before it is packed; return their digests by path.

    Args:
        tree: Its top; what does not lie in `lib/` is the project's own.
        own: Files in `lib/` that are the project's own too, relative to `lib/`.
        allow: Harmless files, each as `path@sha256:digest`.
        workers: How many processes look at once, where there are many files.
        harmless: What earlier builds found to be harmless; None looks at everything.

    Raises:
        SecretFound: Some file, which `allow` does not name with its digest, looks like a secret
            or holds one; the message names each with its line.
        OSError: A file cannot be read.
    """
    allowed = frozenset(allow)
    digests: dict[str, str] = {}
    found: list[Secret] = []
    clean: list[tuple[str, str, bool]] = []
    look = _Look(tree, frozenset(own), harmless)
    for looked in _look_at_all(look, list(_files(tree)), workers):
        for path, digest, secrets in looked:
            digests[path] = digest
            if not secrets:
                clean.append((path, digest, look.is_third_party(path)))
            elif f"{path}@sha256:{digest}" not in allowed:
                found += secrets
    found += [
        Secret(folder, None, "a repository with all its history", "")
        for folder in _repositories(tree)
    ]
    if harmless is not None:
        harmless.keep(clean)
    if found:
        raise SecretFound(sorted(found, key=lambda one: (one.path, one.line or 0)))
    return digests


def is_repository(path: str) -> bool:
    """Return whether a file or folder is one that is refused whatever is in it."""
    return path.rpartition("/")[2] in _REPOSITORIES


def holds_key(path: str, file: BinaryIO) -> bool:
    """Return whether a file of a package of others holds what is refused.

    Args:
        path: Its path from the tree's top.
        file: Its content; read from where it stands, to its end.
    """
    return any(True for _ in _lines_in(path, file, ()))


def may_hold_key(content: bytes) -> bool:
    """Return False of what certainly holds no key, a hundred times as fast as `holds_key`."""
    first, second, third = _HINTS
    return first in content or second in content or third in content


_Looked = list[tuple[str, str, list[Secret]]]


class _Look:
    """How the files of one tree are looked at.

    Attributes:
        tree: Its top.
        own: Files in `lib/` that are the project's own.
        harmless: Those that need not be looked at again.
    """

    def __init__(self, tree: Path, own: frozenset[str], harmless: Harmless | None) -> None:
        self.tree, self.own, self.harmless = tree, own, harmless

    def is_third_party(self, path: str) -> bool:
        """Say whether a file is of a package of others."""
        return path.startswith("lib/") and path.removeprefix("lib/") not in self.own

    @cached_property
    def detectors(self) -> tuple[BasePlugin, ...]:
        """Those for tokens; not loaded where no file needs them."""
        return _detectors()


def _look_at_all(look: _Look, paths: list[str], workers: int) -> Iterator[_Looked]:
    if workers == 1 or len(paths) < _MANY:
        yield _look_at(look, paths)
        return
    import multiprocessing

    # Loaded before, and so once.
    _ = look.detectors
    # Forked, so that what is loaded here need not be loaded again by each. A share of every part
    # of the tree for each, and no queue between them, whose threads and locks a fork could tear.
    forked = multiprocessing.get_context("fork")
    shares = []
    for number in range(workers):
        there, here = forked.Pipe(duplex=False)
        share = (look, paths[number::workers])
        process = forked.Process(target=_look_apart, args=(here, *share), daemon=True)
        process.start()
        here.close()
        shares.append((process, there, share))
    for process, there, share in shares:
        try:
            looked = there.recv()
        except (EOFError, OSError):
            # It was killed, perhaps with half of it said, or could not read a file: which one is
            # told here.
            looked = _look_at(*share)
        finally:
            there.close()
            process.join()
        yield looked


def _look_apart(here: Connection, look: _Look, paths: Sequence[str]) -> None:
    with contextlib.suppress(OSError):
        here.send(_look_at(look, paths))
    here.close()


def _look_at(look: _Look, paths: Sequence[str]) -> _Looked:
    looked: _Looked = []
    for path in paths:
        third_party = look.is_third_party(path)
        digest, lines = _by_content(path, look, third_party=third_party)
        if lines is None:
            looked.append((path, digest, []))
            continue
        named = None if third_party else _by_name(path)
        secrets = [] if named is None else [Secret(path, None, named, digest)]
        secrets += [Secret(path, line, what, digest) for line, what in lines.items()]
        looked.append((path, digest, secrets))
    return looked


def _by_name(path: str) -> str | None:
    name = path.rpartition("/")[2]
    if name in _HARMLESS:
        return None
    for pattern, what in _NAMES.items():
        if fnmatchcase(path if "/" in pattern else name, pattern):
            return what
    return None


def _by_content(path: str, look: _Look, *, third_party: bool) -> tuple[str, dict[int, str] | None]:
    """Return a file's digest, and the lines of it that hold secrets with what each is.

    None instead of lines says that it is known to be harmless, by its name too.
    """

    def known(digest: str) -> bool:
        found = look.harmless
        return found is not None and found.has(path, digest, third_party=third_party)

    def lines_in(opened: BinaryIO) -> dict[int, str]:
        name = path.rpartition("/")[2]
        tokens = not third_party and not name.endswith(_CODE)
        return dict(_lines_in(name, opened, look.detectors if tokens else ()))

    with (look.tree / path).open("rb") as opened:
        head = opened.read(_PIECE)
        if len(head) < _PIECE:
            digest = hashlib.sha256(head).hexdigest()
            return digest, None if known(digest) else lines_in(io.BytesIO(head))
        digest = sha256_file(look.tree / path)
        if known(digest):
            return digest, None
        opened.seek(0)
        return digest, lines_in(opened)


def _lines_in(
    name: str, opened: BinaryIO, detectors: Sequence[BasePlugin]
) -> Iterator[tuple[int, str]]:
    # Byte code holds what its source holds.
    if name.endswith(_CODE):
        return
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
        for number, what in (*_lines_of_tokens(text, detectors), *credentials(name, text)):
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
        searched = piece + following[:_LONGEST_KEY]
        if may_hold_key(searched):
            for match in _PRIVATE_KEY.finditer(searched):
                # One that begins behind the piece is found in the following one.
                if match.start() < len(piece):
                    yield line + piece.count(b"\n", 0, match.start())
        if following:
            line += piece.count(b"\n")
        piece = following


def _finds(detector: BasePlugin, text: str) -> bool:
    # Only the matching of text: the detectors' other ways in would ask Amazon and others.
    return any(not found.endswith(_EXAMPLE) for found in detector.analyze_string(text))


def _detectors() -> tuple[BasePlugin, ...]:
    from importlib import import_module

    with _no_client():
        return tuple(
            getattr(import_module(f"detect_secrets.plugins.{module}"), name)()
            for module, name in _DETECTORS
        )


@contextlib.contextmanager
def _no_client() -> Iterator[None]:
    """Keep detectors from loading the HTTP client that they would try a token out with.

    It takes three times as long to load as they do, and nothing here may reach the network.
    """
    there = sys.modules.get(_CLIENT)
    if there is not None:
        yield
        return
    sys.modules[_CLIENT] = ModuleType(_CLIENT)
    try:
        yield
    finally:
        del sys.modules[_CLIENT]


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
