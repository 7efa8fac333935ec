"""What Alembic says of its revisions is understood, however people have called these."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.agent.builtins.migrate_alembic import Alembic
from castoff.releaser.agent.parameters import Parameters


class Said:
    """A shell in which Alembic says what it is to say."""

    name = "migrate"

    def __init__(self, folder: Path, **said: str) -> None:
        self.folder = str(folder)
        self._said = said

    def ask(self, command: str) -> str:
        return self._said[command.rpartition(" ")[2]]


@pytest.mark.parametrize(
    ("heads", "current", "left"),
    [
        ("bb2 (head)\n", "aa1\n", ["bb2"]),
        ("bb2 (head)\n", "bb2 (head)\n", []),
        ("v3.2.0.a (head)\n", "v3.0.0.d\n", ["v3.2.0.a"]),
        ("v3.2.0.a (shop) (head)\n", "v3.2.0.a (head)\n", []),
        ("a.1 (one) (head)\nb.1 (two) (effective head)\n", "a.1 (head)\n", []),
        ("2026.11 (head)\n", "", ["2026.11"]),
    ],
)
def test_what_is_left_is_known(tmp_path: Path, heads: str, current: str, left: list[str]) -> None:
    (tmp_path / "alembic.ini").touch()
    shell: Any = Said(tmp_path, heads=heads, current=current)
    assert Alembic(Parameters({"config": "alembic.ini"}), shell).left() == left
