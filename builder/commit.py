"""Find the one commit that a name means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from castoff.builder.errors import SourceError
from castoff.builder.git import Git

_TAGS = "refs/tags/"
# SHA-1 or SHA-256.
_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit.

    Attributes:
        sha: Its full id.
        ref: The name that it was asked for by.
        time: When it was committed, seconds since the epoch.
        tags: The names of all tags on it.
    """

    sha: str
    ref: str
    time: int
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where a folder lies in its repository.

    Attributes:
        prefix: The folder, from the top: empty, or with a slash at its end.
        top: The top folder.
        head: The full id of the commit that is checked out; empty if there is none.
    """

    prefix: str
    top: Path
    head: str


def resolve(git: Git, ref: str) -> tuple[Commit, Checkout]:
    """Return the commit that a branch, tag, id or expression such as `HEAD~2` means.

    Args:
        git: The repository, at the folder that is to be found in it.
        ref: The name.

    Raises:
        SourceError: There is none, the repository has no commit yet, or `ref` looks like an
            option of git.
    """
    # git must be able to take it for nothing but a name, whatever its version does with `--`.
    if not ref or ref.startswith("-") or any(not c.isprintable() for c in ref):
        raise SourceError(
            f"not a commit, tag or branch: {ref!r}", hint="Name one, such as HEAD or v1.2.3."
        )
    sha, checkout = _at_once(git, ref) or _one_by_one(git, ref)
    said = git.text(
        "show", "--no-patch", "--no-show-signature", "--format=%ct%n%D",
        "--decorate=full", f"--decorate-refs={_TAGS}*", sha,
    )  # fmt: skip
    time, _, names = said.partition("\n")
    # "tag: refs/tags/v1.2, tag: refs/tags/v1.2.3"; a name has no space.
    tags = (name.removeprefix(f"tag: {_TAGS}") for name in names.split(", ") if name)
    return Commit(sha, ref, int(time), tuple(sorted(tags))), checkout


def _at_once(git: Git, ref: str) -> tuple[str, Checkout] | None:
    """Ask for all in one call, which is all there is to it unless something is unusual."""
    place = ("--show-prefix", "--show-toplevel")
    try:
        said = git.text("rev-parse", *place, "HEAD^{commit}", f"{ref}^{{commit}}")
    except SourceError:
        return None
    prefix, *whole, head, sha = said.split("\n")
    # A range has two; and what names no commit may still name a file.
    if not (_ID.fullmatch(sha) and _ID.fullmatch(head)):
        return None
    return sha, Checkout(prefix, Path("\n".join(whole)), head)


def _one_by_one(git: Git, ref: str) -> tuple[str, Checkout]:
    try:
        sha = git.text("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    except SourceError:
        # Which says so if it is for want of a repository, or of git.
        git.run("rev-parse", "--git-dir")
        sha = ""
    # `^name` is all but a commit.
    if not _ID.fullmatch(sha):
        raise SourceError(
            f"{git.folder}: no commit is named {ref!r}",
            hint="`git log --oneline --all` lists them; fetch it if it is on another machine. "
            "A repository without any commit needs `git commit` first.",
        )
    prefix, _, whole = git.text("rev-parse", "--show-prefix", "--show-toplevel").partition("\n")
    return sha, Checkout(prefix, Path(whole), "")
