"""What a page of the documentation says in its blocks of code, so that a test can do just that."""

from __future__ import annotations

from pathlib import Path

_DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, language: str) -> list[str]:
    """Return the blocks of a language on a page below docs/, in their order."""
    found: list[str] = []
    inside: list[str] | None = None
    for line in (_DOCS / page).read_text(encoding="utf-8").splitlines():
        if inside is None and line == f"```{language}":
            inside = []
        elif inside is not None and line == "```":
            found.append("\n".join([*inside, ""]))
            inside = None
        elif inside is not None:
            inside.append(line)
    return found
