"""What lies in the working tree and is not in the commit that is built."""

from __future__ import annotations

from castoff.builder.commit import Commit
from castoff.builder.errors import SourceError
from castoff.builder.git import Git

_MOST_NAMED = 5
_CONFIG = "castoff.toml"


def uncommitted(git: Git, commit: Commit) -> str | None:
    """Return a warning if tracked files differ from the commit that is checked out and built.

    Where some other commit is built, what lies on disk was hardly meant.

    Args:
        git: The repository, at its top folder.
        commit: What is built.
    """
    try:
        if git.text("rev-parse", "HEAD") != commit.sha:
            return None
        listing = git.run("diff", "--name-only", "--no-ext-diff", "--no-renames", "-z", "HEAD")
    except SourceError:
        # A bare repository, or a checkout that git cannot read: the commit is built all the same.
        return None
    names = listing.decode(errors="surrogateescape").split("\0")[:-1]
    if not names:
        return None
    shown = ", ".join(ascii(name) for name in names[:_MOST_NAMED])
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    files = "1 tracked file differs" if len(names) == 1 else f"{len(names)} tracked files differ"
    settings = [name for name in names if name.rpartition("/")[2] == _CONFIG]
    read = f" ({settings[0]} alone is read as it is on disk)" if settings else ""
    return f"{files} from HEAD; what is on disk is not in the build: {shown}{more}{read}"
