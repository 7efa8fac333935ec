"""Refuse a tree that holds secrets: a release lies on every server, and in the store for good.

Names tell of some (`.env`, `.git`, `id_rsa`), content of others. The detectors for tokens are those
of detect-secrets, and of them only the ones that are nearly always right; it is never let near the
network to try a token out. They read all that is the project's own. Packages of others hold
documentation and tests full of example tokens, so these are only searched for whole private keys
and repositories. docs/explanation/supply-chain.md has the figures.

Every file is read for this, so its digest is taken on the way.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from castoff.builder.forked import Forked
from castoff.builder.harmless import Harmless
from castoff.builder.secret_content import CODE, PIECE, lines_in, token_detectors
from castoff.builder.secret_names import repositories, secret_by_name
from castoff.store.digest import sha256_file
from castoff.store.errors import CastoffError, ExitCode
from castoff.store.places import LIB

if TYPE_CHECKING:
    from detect_secrets.plugins.base import BasePlugin

_MOST_NAMED = 20
# Files: from how many on it pays to start processes.
_MANY = 2000
# What ends all that a process says.
_END = b"\n"


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

    exit_code = ExitCode.LEAK

    def __init__(self, secrets: Sequence[Secret]) -> None:
        lines = [f"  {one.path}{_at(one.line)}: {one.what}" for one in secrets[:_MOST_NAMED]]
        if len(secrets) > _MOST_NAMED:
            lines.append(f"  and {len(secrets) - _MOST_NAMED} more")
        allowed = dict.fromkeys(f'"{o.path}@sha256:{o.sha256}"' for o in secrets if o.sha256)
        super().__init__(
            "\n".join(["the release would hold what looks like secrets", *lines]),
            hint="Keep secrets out of git, and put them on hosts: see `shared` in castoff.toml. "
            "Leave files out of the release: in app/ with `exclude`, in project/ by what the "
            "project puts into its wheel.\n"
            "If a file is harmless, say so of just these bytes, under [apps.NAME.build]:\n"
            f"allow_secrets = [{', '.join(list(allowed)[:_MOST_NAMED])}]",
        )
        self.secrets = tuple(secrets)


def check_secrets(
    tree: Path,
    *,
    allow: Sequence[str],
    workers: int = 1,
    harmless: Harmless | None = None,
) -> Mapping[str, str]:
    """Look at every file of a release's tree before it is packed; return their digests by path.

    Args:
        tree: Its top; what does not lie in `lib/` is the project's own.
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
    look = _Look(tree, harmless)
    for looked in _look_at_all(look, list(_files(tree)), workers):
        for path, digest, secrets in looked:
            digests[path] = digest
            if not secrets:
                clean.append((path, digest, _is_third_party(path)))
            elif f"{path}@sha256:{digest}" not in allowed:
                found += secrets
    found += [
        Secret(folder, None, "a repository with all its history", "")
        for folder in repositories(tree)
    ]
    if harmless is not None:
        harmless.keep(clean)
    if found:
        raise SecretFound(sorted(found, key=lambda one: (one.path, one.line or 0)))
    return digests


_Looked = list[tuple[str, str, list[Secret]]]


class _Look:
    """How the files of one tree are looked at.

    Attributes:
        tree: Its top.
        harmless: Those that need not be looked at again.
    """

    def __init__(self, tree: Path, harmless: Harmless | None) -> None:
        self.tree, self.harmless = tree, harmless

    @cached_property
    def detectors(self) -> tuple[BasePlugin, ...]:
        """Those for tokens; not loaded where no file needs them."""
        return token_detectors()


def _look_at_all(look: _Look, paths: list[str], workers: int) -> Iterator[_Looked]:
    if workers == 1 or len(paths) < _MANY:
        yield _look_at(look, paths)
        return
    # Loaded before, and so once.
    _ = look.detectors
    # A share of every part of the tree for each, and no queue between them.
    shares = [paths[number::workers] for number in range(workers)]
    with Forked() as forked:
        pipes = [forked.say(partial(_say, look, share)) for share in shares]
        for share, pipe in zip(shares, pipes, strict=True):
            said = b"" if pipe is None else pipe.read()
            # It was killed, perhaps with half of it said, or could not read a file: which one is
            # told here.
            yield _heard(said) if said.endswith(_END) else _look_at(look, share)


def _say(look: _Look, paths: Sequence[str], pipe: BinaryIO) -> None:
    looked = [
        (path, digest, [astuple(secret) for secret in secrets])
        for path, digest, secrets in _look_at(look, paths)
    ]
    pipe.write(json.dumps(looked).encode() + _END)


def _heard(said: bytes) -> _Looked:
    return [
        (path, digest, [Secret(*secret) for secret in secrets])
        for path, digest, secrets in json.loads(said)
    ]


def _look_at(look: _Look, paths: Sequence[str]) -> _Looked:
    looked: _Looked = []
    for path in paths:
        third_party = _is_third_party(path)
        digest, lines = _by_content(path, look, third_party=third_party)
        if lines is None:
            looked.append((path, digest, []))
            continue
        named = None if third_party else secret_by_name(path)
        secrets = [] if named is None else [Secret(path, None, named, digest)]
        secrets += [Secret(path, line, what, digest) for line, what in lines.items()]
        looked.append((path, digest, secrets))
    return looked


def _by_content(path: str, look: _Look, *, third_party: bool) -> tuple[str, dict[int, str] | None]:
    """Return a file's digest, and the lines of it that hold secrets with what each is.

    None instead of lines says that it is known to be harmless, by its name too.
    """

    def known(digest: str) -> bool:
        found = look.harmless
        return found is not None and found.has(path, digest, third_party=third_party)

    def secrets_in(opened: BinaryIO) -> dict[int, str]:
        name = path.rpartition("/")[2]
        tokens = not third_party and not name.endswith(CODE)
        return dict(lines_in(name, opened, look.detectors if tokens else ()))

    with open(f"{look.tree}/{path}", "rb") as opened:  # noqa: PTH123 (there are many)
        head = opened.read(PIECE)
        if len(head) < PIECE:
            digest = hashlib.sha256(head).hexdigest()
            return digest, None if known(digest) else secrets_in(io.BytesIO(head))
        digest = sha256_file(look.tree / path)
        if known(digest):
            return digest, None
        opened.seek(0)
        return digest, secrets_in(opened)


def _is_third_party(path: str) -> bool:
    return path.startswith(f"{LIB}/")


def _files(tree: Path) -> Iterator[str]:
    # As text: there are thousands, and Path takes longer than to read one of them.
    for folder, names, files in os.walk(tree):
        names.sort()
        inside = folder.removeprefix(str(tree)).removeprefix("/")
        for name in sorted(files):
            if stat.S_ISREG(os.lstat(f"{folder}/{name}").st_mode):
                yield f"{inside}/{name}" if inside else name


def _at(line: int | None) -> str:
    return "" if line is None else f":{line}"
