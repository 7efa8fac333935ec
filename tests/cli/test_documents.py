"""What the documents say about the command line is what the command line says about itself."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.core import TyperGroup

from castoff.cli.tree import tree
from castoff.store.errors import ExitCode

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "benchmarks/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
COMMAND = re.compile(r"^(?:    )?castoff (?!\w+:).*", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def written_commands() -> list[str]:
    """Return each castoff command in a code block of the documents, without its comment."""
    blocks = (
        block
        for page in PAGES
        for text in [page.read_text(encoding="utf-8")]
        for block in [*re.findall(r"```sh\n(.*?)```", text, re.DOTALL), FENCED.sub("", text)]
    )
    found = (line for block in blocks for line in COMMAND.findall(block))
    return sorted({re.split(r"\s#|\s>", line)[0].strip() for line in found})


def leaf(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command that words call, and the words that are left for it."""
    command: Any = typer.main.get_command(tree())
    while words and isinstance(command, TyperGroup):
        assert words[0] in command.commands, f"no such command: {words}"
        command, words = command.commands[words[0]], words[1:]
    return command, words


def test_there_are_commands_in_the_documents() -> None:
    assert len(written_commands()) > 8


@pytest.mark.parametrize("line", written_commands())
def test_every_command_in_the_documents_is_one_that_castoff_takes(line: str) -> None:
    command, words = leaf(shlex.split(line)[1:])
    with command.make_context(command.name, words):
        pass


def test_the_page_of_commands_is_what_help_says() -> None:
    check = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "commands"), "--check"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert check.returncode == 0, check.stderr


def test_every_exit_code_is_on_its_page() -> None:
    page = (ROOT / "docs" / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\d+) \| `([A-Z_]+)` \|", page, re.MULTILINE))
    assert rows == {str(code.value): code.name for code in ExitCode}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            there = page.parent / path if path else page
            assert there.exists(), f"{page}: {target}"
            assert not anchor or anchor in anchors(there), f"{page}: {target}"


def anchors(page: Path) -> set[str]:
    """Return what the headings of a page are called in links, as GitHub has it."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    found: list[str] = []
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
        again = sum(one == name or one.startswith(f"{name}-") for one in found)
        found.append(f"{name}-{again}" if name in found else name)
    return set(found)
