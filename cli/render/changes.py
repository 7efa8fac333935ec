"""What a run brought and what it was about to do, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from castoff.cli.render.plain_text import plain
from castoff.cli.render.sizes import size
from castoff.cli.render.tables import print_table
from castoff.store.commits import CommitRow, Commits
from castoff.store.planned import Planned


def commit_lines(commits: Commits) -> Iterator[str]:
    """Yield the commits that came and those that went, newest first."""
    yield from _listed("came with it", commits.gained, commits.gained_count)
    yield from _listed("went with the version before", commits.lost, commits.lost_count)
    if not commits.gained_count and not commits.lost_count:
        yield "the same commit as before"


def print_plan(planned: Planned) -> None:
    """Print what each host was to do."""
    print_table(
        ("host", "served", "group", "was to fetch at most", "was to run"),
        [
            (
                host.name,
                host.serves or "-",
                str(host.batch or "-"),
                size(host.fetch),
                ", ".join(step.name for step in host.steps) or "-",
            )
            for host in planned.hosts
        ],
    )


def _listed(what: str, rows: tuple[CommitRow, ...], count: int) -> Iterator[str]:
    if not count:
        return
    yield f"{count} {'commit' if count == 1 else 'commits'} {what}:"
    for row in rows:
        yield f"  {row.id} {plain(row.subject)}"
    if count > len(rows):
        yield f"  and {count - len(rows)} more"
