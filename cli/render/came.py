"""What the page says of the commits between two versions, and of the plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from castoff.cli.render.plain_text import plain
from castoff.cli.render.sizes import size
from castoff.store.history import Entry


@dataclass(frozen=True, slots=True)
class CommitList:
    """Commits that came, or that went.

    Attributes:
        title: How many, and which way.
        rows: Identifier and first line of the message, newest first.
        left_out: How many more there are.
    """

    title: str
    rows: tuple[tuple[str, str], ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class PlanLine:
    """What one host was to do: what it served, its group, its steps, and how much to fetch."""

    host: str
    facts: str
    fetch: str


def commit_lists(entry: Entry) -> tuple[CommitList, ...]:
    """Return the lists that have anything in them."""
    commits = entry.commits
    if commits is None:
        return ()
    both = (
        ("came with {}", entry.version, commits.gained, commits.gained_count),
        ("went with {}", entry.from_version, commits.lost, commits.lost_count),
    )
    return tuple(
        CommitList(
            title=f"{count} {'commit' if count == 1 else 'commits'} {way.format(version)}",
            rows=tuple((row.id, plain(row.subject)) for row in rows),
            left_out=count - len(rows),
        )
        for way, version, rows, count in both
        if count
    )


def plan_lines(entry: Entry) -> Iterator[PlanLine]:
    """Yield a line for each host of the plan."""
    if entry.plan is None:
        return
    grouped = any(host.batch > 1 for host in entry.plan.hosts)
    for host in entry.plan.hosts:
        facts = [f"served {host.serves or 'nothing'}"]
        if grouped:
            facts.append(f"group {host.batch}")
        facts += [f"{step.moment}: {step.name}" for step in host.steps]
        fetch = size(host.fetch) if host.fetch else "had it"
        yield PlanLine(host.name, " · ".join(facts), fetch)
