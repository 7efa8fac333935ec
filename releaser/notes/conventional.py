"""Commit subjects in the form of Conventional Commits 1.0.0 (conventionalcommits.org)."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Items 1 to 5 and 13 of the specification; types are compared without regard to case (item 15).
_SUBJECT = re.compile(
    r"(?P<kind>[A-Za-z][A-Za-z0-9_-]*)(?:\((?P<scope>[^()\r\n]+)\))?(?P<mark>!)?: +(?P<text>\S.*)"
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject taken apart.

    Attributes:
        kind: Its type in small letters, such as `feat`; empty where it has not that form.
        scope: What part of the code it is about; may be empty.
        breaking: Whether it says that something breaks.
        text: The rest; the whole subject where it has not that form.
    """

    kind: str
    scope: str
    breaking: bool
    text: str


def parse(subject: str) -> Subject:
    """Return a subject taken apart."""
    match = _SUBJECT.fullmatch(subject)
    if match is None:
        return Subject("", "", breaking=False, text=subject)
    return Subject(
        match["kind"].lower(), match["scope"] or "", bool(match["mark"]), match["text"].strip()
    )
