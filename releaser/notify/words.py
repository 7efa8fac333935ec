"""A message in words: one line that says it all, and the lines below it."""

from __future__ import annotations

from collections.abc import Iterator

from castoff.releaser.notes.notes import Notes
from castoff.releaser.notify.message import Message
from castoff.store.outcomes import Kind

# Commits that are named before the rest is only counted.
_MOST_COMMITS = 15
# What is told of what went wrong; the rest is in the report.
_MOST_LINES = 12

_NOUNS: dict[Kind, str] = {
    "release": "release of {app} {version} to {environment}",
    "activate": "activation of {app} {version} in {environment}",
    "rollback": "rollback of {app} to {version} in {environment}",
    "converge": "convergence of {environment} to {app} {version}",
    "prepare": "preparation of {app} {version} for {environment}",
}
_WELL: dict[Kind, str] = {
    "release": "{app} {version} is live in {environment}",
    "activate": "{app} {version} is live in {environment}",
    "rollback": "{app} is back on {version} in {environment}",
    "converge": "hosts of {environment} were brought to {app} {version}",
    "prepare": "{app} {version} is ready in {environment}",
}


def title(message: Message) -> str:
    """Return the one line."""
    names = {
        "app": message.app,
        "version": message.version,
        "environment": message.environment,
    }
    noun = _NOUNS[message.kind].format_map(names)
    what = {
        "started": f"{noun} has begun",
        "released": _WELL[message.kind].format_map(names),
        "prepared": _WELL[message.kind].format_map(names),
        "failed": f"FAILED: {noun}",
        "rolled back": f"FAILED: {noun}; every host is back on what it served before",
        "mixed": f"MIXED: {noun} failed, and not every host could be brought back",
        "interrupted": f"INTERRUPTED: {noun} has not come to its end",
    }[message.occasion]
    return f"{what} (PARTIAL: {message.only})" if message.only else what


def facts(message: Message) -> Iterator[tuple[str, str]]:
    """Yield what else there is to say, each with a word before it."""
    yield "who", message.who
    yield "from", f"{message.from_version or 'nothing'} to {message.version}"
    took = [
        (f"{message.seconds:.1f} s" if message.seconds is not None else ""),
        _seconds("activation", message.activation_seconds),
        _seconds("potential downtime", message.downtime_seconds),
    ]
    if any(took):
        yield "took", ", ".join(part for part in took if part)
    if message.quarantined:
        yield "in quarantine", ", ".join(message.quarantined)
    if message.job_url:
        yield "CI job", message.job_url
    if message.report_url:
        yield "report", message.report_url


def trouble(message: Message) -> Iterator[str]:
    """Yield the first lines of what went wrong."""
    lines = message.detail.splitlines()
    yield from lines[:_MOST_LINES]
    if len(lines) > _MOST_LINES:
        yield f"and {len(lines) - _MOST_LINES} more lines"


def commits(notes: Notes) -> Iterator[str]:
    """Yield the commits that came and went, as many as anybody reads."""
    for section in notes.sections:
        count = len(section.changes) + section.left_out
        noun = "commit" if count == 1 else "commits"
        yield f"{section.title or 'Commits'} ({count} {noun})"
        for change in section.changes[:_MOST_COMMITS]:
            scope = f"{change.subject.scope}: " if change.subject.scope else ""
            yield f"  {change.id} {scope}{change.subject.text}"
        if count > _MOST_COMMITS:
            yield f"  and {count - min(_MOST_COMMITS, len(section.changes))} more"


def text(message: Message) -> str:
    """Return the whole as plain text."""
    blocks = [
        [title(message)],
        list(trouble(message)),
        [f"{word}: {value}" for word, value in facts(message)],
        list(commits(message.notes)),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _seconds(what: str, count: float | None) -> str:
    return "" if count is None else f"{what} {count:.2f} s"
