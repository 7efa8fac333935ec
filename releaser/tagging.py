"""The git tag of a run: which runs leave one, its name and its message; no I/O."""

from __future__ import annotations

from castoff.config.model import Tag
from castoff.config.placeholders import filled
from castoff.releaser.job import Scope
from castoff.releaser.notes.notes import make_notes
from castoff.releaser.notes.write import text
from castoff.store.history import Draft

_KINDS = ("release", "activate", "rollback")


def is_tagged(draft: Draft) -> bool:
    """Return whether a version has come to all hosts of the environment."""
    return draft.outcome == "released" and draft.kind in _KINDS and not draft.only


def tag_name(tag: Tag, scope: Scope, draft: Draft, number: int) -> str:
    """Return the tag's name, its placeholders filled in."""
    places: dict[str, object] = {
        "app": scope.app,
        "environment": scope.environment_name,
        "version": draft.version,
        "n": number,
    }
    return filled(tag.name, places)


def remote(tag: Tag) -> str:
    """Return the remote that tags are pushed to; empty for none."""
    if isinstance(tag.push, str):
        return tag.push
    return "origin" if tag.push else ""


def tag_message(scope: Scope, draft: Draft, number: int) -> str:
    """Return the tag's message: a line that says it all, the facts, and the release notes."""
    verb = "is back on" if draft.kind == "rollback" else "has"
    facts = [
        ("version", draft.version),
        ("commit", draft.commit),
        ("before", draft.from_version or ""),
        ("who", draft.who),
        ("CI job", draft.job_url),
    ]
    head = f"{scope.environment_name} {verb} {scope.app} {draft.version} (entry {number})"
    told = "\n".join(f"{word}: {value}" for word, value in facts if value)
    notes = make_notes(
        draft.version, draft.from_version, draft.commits, origin=scope.repository.origin()
    )
    return f"{head}\n\n{told}\n\n{text(notes)}"
