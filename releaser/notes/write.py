"""Release notes as Markdown, as plain text and as a JSON value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from castoff.releaser.notes.notes import Change, Notes, Section

# CommonMark, 2.4: what means something in a line may be escaped. Code in backticks stays code.
_MEANS = re.compile(r"([\\*_\[\]<>#~|])")
_NONE = "No changes."
_NOT_KNOWN = "What lies between the two versions is not known here."


def markdown(notes: Notes) -> str:
    """Return notes as Markdown (CommonMark), with links where the repository has pages."""
    lines = [f"# {_escaped(_title(notes))}"]
    for section in notes.sections:
        if section.title:
            lines += ["", f"## {_escaped(section.title)}"]
        lines += ["", *(f"- {_linked(change)}" for change in section.changes)]
        lines += [f"- and {section.left_out} more"] if section.left_out else []
    lines += _nothing(notes)
    if notes.compare:
        lines += ["", f"[All changes]({notes.compare})"]
    return "\n".join(lines) + "\n"


def text(notes: Notes) -> str:
    """Return notes as plain text."""
    lines = [_title(notes)]
    for section in notes.sections:
        if section.title:
            lines += ["", f"{section.title}:"]
        else:
            lines.append("")
        lines += (f"  {change.id} {_words(change, str)}" for change in section.changes)
        lines += [f"  and {section.left_out} more"] if section.left_out else []
    lines += _nothing(notes)
    if notes.compare:
        lines += ["", notes.compare]
    return "\n".join(lines) + "\n"


def as_json(notes: Notes) -> dict[str, Any]:
    """Return notes as a value of JSON."""
    return {
        "version": notes.version,
        "since": notes.since or None,
        "compare_url": notes.compare or None,
        "known": notes.known,
        "sections": [_section(section) for section in notes.sections],
    }


def _section(section: Section) -> dict[str, Any]:
    return {
        "title": section.title,
        "left_out": section.left_out,
        "commits": [
            {
                "id": change.id,
                "type": change.subject.kind or None,
                "scope": change.subject.scope or None,
                "breaking": change.subject.breaking,
                "text": change.subject.text,
                "url": change.url or None,
            }
            for change in section.changes
        ],
    }


def _title(notes: Notes) -> str:
    return f"{notes.version} (since {notes.since})" if notes.since else notes.version


def _nothing(notes: Notes) -> Iterator[str]:
    if not notes.sections:
        yield ""
        yield _NONE if notes.known else _NOT_KNOWN


def _linked(change: Change) -> str:
    id_ = f"[`{change.id}`]({change.url})" if change.url else f"`{change.id}`"
    return f"{_words(change, _escaped)} ({id_})"


def _words(change: Change, written: Callable[[str], str]) -> str:
    scope = f"{written(change.subject.scope)}: " if change.subject.scope else ""
    return f"{scope}{written(change.subject.text)}"


def _escaped(words: str) -> str:
    parts = re.split(r"(`[^`]*`)", words)
    return "".join(part if i % 2 else _MEANS.sub(r"\\\1", part) for i, part in enumerate(parts))
