"""Which commits lie between two versions, asked of the repository that is at hand."""

from __future__ import annotations

import re

from castoff.builder.errors import SourceError
from castoff.builder.git import Git
from castoff.store.commits import CommitRow, Commits

MOST_NAMED = 50
_MOST_SUBJECT = 200
_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.ASCII)
_BREAKING = re.compile(r"^BREAKING[ -]CHANGE: ", re.MULTILINE)
# Between the fields of a commit; entries end with NUL, which no message can hold.
_FIELD = "\x1f"


def commits_between(
    git: Git, before: str, after: str, *, folder: str = ".", most: int | None = MOST_NAMED
) -> Commits | None:
    """Return what one commit has that another has not, both ways.

    Args:
        git: A repository.
        before: The commit that was live.
        after: The commit that comes.
        folder: Only commits that touch this folder of the repository count; `.` for all.
        most: How many are named, each way, None for all; all are counted.

    Returns:
        None if the repository does not have both commits (a shallow clone, another machine), or
        there is none.
    """
    if not (_COMMIT.fullmatch(before) and _COMMIT.fullmatch(after)):
        return None
    try:
        gained, gained_count = _only_in(git, after, before, folder, most)
        lost, lost_count = _only_in(git, before, after, folder, most)
    except SourceError:
        return None
    return Commits(gained=gained, gained_count=gained_count, lost=lost, lost_count=lost_count)


def _only_in(
    git: Git, one: str, other: str, folder: str, most: int | None
) -> tuple[tuple[CommitRow, ...], int]:
    about = (f"{other}..{one}", *(() if folder == "." else ("--", folder)))
    # A partial clone must not fetch what it lacks over the network.
    here = {"GIT_NO_LAZY_FETCH": "1"}
    count = int(git.run("rev-list", "--count", *about, extra=here))
    words = ("log", "-z", "--no-color", "--no-show-signature", "--format=%h%x1f%s%x1f%b", "-n")
    named = count if most is None else most
    listed = git.run(*words, str(named), *about, extra=here) if count else b""
    return tuple(map(_row, filter(None, listed.decode(errors="replace").split("\0")))), count


def _row(text: str) -> CommitRow:
    id_, subject, body = text.split(_FIELD, 2)
    return CommitRow(id=id_, subject=_line(subject), breaking=bool(_BREAKING.search(body)))


def _line(subject: str) -> str:
    text = "".join(c if c.isprintable() else " " for c in subject)
    return text if len(text) <= _MOST_SUBJECT else text[: _MOST_SUBJECT - 1] + "…"
