"""What lies in the working tree and is not in the commit that is built."""

from __future__ import annotations

from collections.abc import Collection

from castoff.builder.commit import Checkout, Commit
from castoff.builder.errors import SourceError
from castoff.builder.git import Git

_MOST_NAMED = 5
_CONFIG = "castoff.toml"
_DIFF = ("diff", "--name-only", "--no-ext-diff", "--no-renames", "-z")


def uncommitted(
    git: Git, commit: Commit, checkout: Checkout, *, tracked: Collection[str]
) -> str | None:
    """Return a warning if tracked files differ from the commit that is checked out and built.

    Where some other commit is built, what lies on disk was hardly meant, but for castoff.toml: it
    is read as it is there, whatever is built.

    Args:
        git: The repository, at its top folder.
        commit: What is built.
        checkout: Where castoff.toml lies in it, and what is checked out.
        tracked: The paths of all files in the commit.
    """
    try:
        if checkout.head != commit.sha:
            return _settings(git, commit, checkout.prefix + _CONFIG, tracked, same=False)
        listing = git.run(*_DIFF, "HEAD")
    except SourceError:
        # A bare repository, or a checkout that git cannot read: the commit is built all the same.
        return None
    names = listing.decode(errors="surrogateescape").split("\0")[:-1]
    if not names:
        return _settings(git, commit, checkout.prefix + _CONFIG, tracked, same=True)
    shown = ", ".join(ascii(name) for name in names[:_MOST_NAMED])
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    files = "1 tracked file differs" if len(names) == 1 else f"{len(names)} tracked files differ"
    settings = [name for name in names if name.rpartition("/")[2] == _CONFIG]
    read = f" ({settings[0]} alone is read as it is on disk)" if settings else ""
    return f"{files} from HEAD; what is on disk is not in the build: {shown}{more}{read}"


def _settings(
    git: Git, commit: Commit, path: str, tracked: Collection[str], *, same: bool
) -> str | None:
    """Return a warning if castoff.toml is not that of the commit; `same` if it is where tracked."""
    if not (git.folder / path).is_file():
        return None
    known = path in tracked
    if known and (same or not _differs(git, commit, path)):
        return None
    found = f"differs from that of {commit.ref}" if known else f"is not in {commit.ref}"
    return f"{path} {found} ({commit.sha[:10]}), and is read as it is on disk"


def _differs(git: Git, commit: Commit, path: str) -> bool:
    literal = {"GIT_LITERAL_PATHSPECS": "1"}
    return bool(git.run(*_DIFF, commit.sha, "--", path, extra=literal))
