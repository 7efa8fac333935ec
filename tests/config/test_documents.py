"""Tables of castoff.toml that stand in the documents are read as castoff.toml is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from castoff.config.errors import ConfigError
from castoff.config.load import load

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, block in enumerate(
        re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    )
    if re.match(r"\[+(?:apps|environments|store|signing)\b", re.sub(r"(?m)^#.*\n|^\n", "", block))
]


def test_there_are_tables_in_the_documents() -> None:
    assert len(BLOCKS) > 40


@pytest.mark.parametrize("block", BLOCKS)
def test_every_key_in_a_table_of_the_documents_is_one(tmp_path: Path, block: str) -> None:
    path = tmp_path / "castoff.toml"
    # A table of a step, where the page told of the step itself before.
    within = re.match(r"\[environments\.(\w+)\.steps\.", block)
    step = f'[[environments.{within[1]}.steps]]\nname = "s"\nmoment = "once"\n' if within else ""
    path.write_text(step + block)
    try:
        load(path)
    except ConfigError as error:
        # What a part of a file leaves out stands elsewhere in it.
        problems = [str(problem) for problem in error.problems]
        assert problems
        assert [one for one in problems if "unknown" in one] == []
