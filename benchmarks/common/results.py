"""RESULTS.md: one section a benchmark, between markers, so that a run replaces only its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[1]
RESULTS = BENCHMARKS / "RESULTS.md"
_HEAD = """# Results

Each section is written by the benchmark that it names, and by nobody else: see README.md.
"""


def put_section(name: str, text: str, *, path: Path = RESULTS) -> None:
    """Put a benchmark's section into the file, in place of the one it had.

    Args:
        name: Of the benchmark; part of the markers.
        text: Markdown, with its heading.
        path: The file; it is made if missing.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    old = path.read_text(encoding="utf-8") if path.exists() else _HEAD
    section = f"{begin}\n{text.strip()}\n{end}\n"
    before, found, rest = old.partition(f"{begin}\n")
    if found:
        new = before + section + rest.partition(f"{end}\n")[2]
    else:
        new = f"{old.rstrip()}\n\n{section}"
    path.write_text(new, encoding="utf-8")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first are aligned to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
