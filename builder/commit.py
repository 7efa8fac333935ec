"""Find the one commit that a name means."""

from __future__ import annotations

from dataclasses import dataclass

from castoff.builder.errors import SourceError
from castoff.builder.git import Git


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


def resolve(git: Git, ref: str) -> Commit:
    """Return the commit that a branch, tag, id or expression such as `HEAD~2` means.

    Raises:
        SourceError: There is none, the repository has no commit yet, or `ref` looks like an
            option of git.
    """
    # git must be able to take it for nothing but a name, whatever its version does with `--`.
    if not ref or ref.startswith("-") or any(not c.isprintable() for c in ref):
        raise SourceError(
            f"not a commit, tag or branch: {ref!r}", hint="Name one, such as HEAD or v1.2.3."
        )
    try:
        sha = git.text("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    except SourceError:
        # Which says so if it is for want of a repository, or of git.
        git.run("rev-parse", "--git-dir")
        raise SourceError(
            f"{git.folder}: no commit is named {ref!r}",
            hint="`git log --oneline --all` lists them; fetch it if it is on another machine. "
            "A repository without any commit needs `git commit` first.",
        ) from None
    time = int(git.text("show", "--no-patch", "--no-show-signature", "--format=%ct", sha))
    tags = tuple(git.text("tag", "--list", "--points-at", sha).splitlines())
    return Commit(sha, ref, time, tags)
