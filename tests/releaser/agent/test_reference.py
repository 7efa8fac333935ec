"""docs/reference/agent-protocol.md has each operation and error code of the agent, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from castoff.releaser.agent.operations import _CHANGING, _READING

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reference" / "agent-protocol.md").read_text(encoding="utf-8")


def codes() -> Iterator[str]:
    """Yield the first argument of each error that the agent's code raises."""
    for path in sorted((ROOT / "releaser" / "agent").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "AgentError":
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    yield str(first.value)
                elif isinstance(first, ast.IfExp):
                    yield from (str(ast.literal_eval(one)) for one in (first.body, first.orelse))


def test_the_table_of_operations_has_all() -> None:
    table = PAGE.partition("| op |")[2].partition("\n\n")[0]
    named = re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)
    assert sorted(named) == sorted({"open", *_READING, *_CHANGING})


def test_every_error_code_is_named() -> None:
    listed = PAGE.partition("Error codes: ")[2].partition("\n\n")[0]
    assert set(codes()) <= set(re.findall(r"`([a-z-]+)`", listed))
