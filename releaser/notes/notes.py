"""Sort the commits between two versions into sections; no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from castoff.releaser.notes.conventional import Subject, parse
from castoff.releaser.notes.forge import Forge, forge_of
from castoff.store.commits import CommitRow, Commits

# In the order in which they are told; what is of no known type comes last.
_TITLES = {
    "feat": "Features",
    "fix": "Fixes",
    "perf": "Performance",
    "revert": "Reverts",
    "docs": "Documentation",
}
_BREAKING = "Breaking changes"
_OTHERS = "Other changes"
_LOST = "Taken back"


@dataclass(frozen=True, slots=True)
class Change:
    """One commit.

    Attributes:
        id: Its short identifier.
        subject: What is told of it.
        url: Its page; may be empty.
    """

    id: str
    subject: Subject
    url: str


@dataclass(frozen=True, slots=True)
class Section:
    """Changes of one kind.

    Attributes:
        title: Their kind; empty where they are not sorted.
        changes: Newest first.
        left_out: How many more there are.
    """

    title: str
    changes: tuple[Change, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Notes:
    """What a version brings.

    Attributes:
        since: The version before; empty if there was none.
        compare: The page of all that lies between the two; may be empty.
        sections: What came, and last what went.
        known: Whether it is known at all what lies between.
    """

    version: str
    since: str
    compare: str
    sections: tuple[Section, ...]
    known: bool = True


def make_notes(
    version: str,
    since: str | None,
    commits: Commits | None,
    *,
    origin: str = "",
    ends: tuple[str, str] | None = None,
) -> Notes:
    """Return the notes of a version.

    They are sorted by type where most subjects are in the form of Conventional Commits, for one
    that happens to have it says nothing of the others.

    Args:
        version: The version.
        since: The one before.
        commits: What lies between; None where that is not known.
        origin: The URL that the repository was cloned from, for links; may be empty.
        ends: The commits of both versions, the older one first.
    """
    forge = forge_of(origin)
    compare = ""
    if forge is not None and ends is not None and ends[0] != ends[1]:
        compare = forge.compare(*ends)
    if commits is None:
        return Notes(version, since or "", compare, (), known=False)
    sections = list(_sorted(_changes(commits.gained, forge), commits.gained_count))
    if commits.lost_count:
        lost = _changes(commits.lost, forge)
        sections.append(Section(_LOST, lost, commits.lost_count - len(lost)))
    return Notes(version, since or "", compare, tuple(sections))


def _changes(rows: Sequence[CommitRow], forge: Forge | None) -> tuple[Change, ...]:
    return tuple(
        Change(
            row.id,
            _subject(row),
            "" if forge is None else forge.commit(row.id),
        )
        for row in rows
    )


def _subject(row: CommitRow) -> Subject:
    found = parse(row.subject)
    # A footer of that name says so too (item 12), and the row has what stood there.
    return Subject(found.kind, found.scope, found.breaking or row.breaking, found.text)


def _sorted(changes: tuple[Change, ...], count: int) -> Iterator[Section]:
    if not count:
        return
    left_out = count - len(changes)
    typed = sum(bool(change.subject.kind) for change in changes)
    if typed * 2 <= len(changes):
        plain = tuple(Change(c.id, _whole(c.subject), c.url) for c in changes)
        yield Section("", plain, left_out)
        return
    if breaking := tuple(change for change in changes if change.subject.breaking):
        yield Section(_BREAKING, breaking)
    calm = [change for change in changes if not change.subject.breaking]
    for kind, title in _TITLES.items():
        if found := tuple(change for change in calm if change.subject.kind == kind):
            yield Section(title, found)
    others = tuple(change for change in calm if change.subject.kind not in _TITLES)
    if others or left_out:
        yield Section(_OTHERS, others, left_out)


def _whole(subject: Subject) -> Subject:
    """Return a subject as it was written, for a list that is not sorted."""
    if not subject.kind:
        return subject
    scope = f"({subject.scope})" if subject.scope else ""
    mark = "!" if subject.breaking else ""
    return Subject("", "", subject.breaking, f"{subject.kind}{scope}{mark}: {subject.text}")
