"""What the shell offers where somebody presses Tab."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = """\
[apps.shop]
[environments.staging]
[environments.production]
[[environments.production.hosts]]
name = "web1"
"""


def offered(folder: Path, words: str) -> list[str]:
    done = subprocess.run(
        [Path(sys.executable).with_name("castoff")],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
        env={
            **os.environ,
            "_CASTOFF_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        },
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("castoff rep", ["report"]),
        ("castoff status --env ", ["staging", "production"]),
        ("castoff release --env prod", ["production"]),
        ("castoff build --app s", ["shop"]),
        ("castoff push ", ["1.0", "1.1"]),
        ("castoff push 1.1", ["1.1"]),
        ("castoff release 1", []),
    ],
)
def test_names_and_versions_are_offered(tmp_path: Path, words: str, expected: list[str]) -> None:
    (tmp_path / "castoff.toml").write_text(CONFIG)
    (tmp_path / "artifacts").mkdir()
    for name in ("shop-1.0.manifest.json", "shop-1.1.manifest.json", "other-1.manifest.json"):
        (tmp_path / "artifacts" / name).touch()

    assert offered(tmp_path, words) == expected


@pytest.mark.parametrize("text", [None, "not = [toml"])
def test_nothing_is_offered_and_nothing_said_without_a_castoff_toml_that_can_be_read(
    tmp_path: Path, text: str | None
) -> None:
    if text is not None:
        (tmp_path / "castoff.toml").write_text(text)

    for words in ("castoff status --env ", "castoff release ", "castoff push "):
        assert offered(tmp_path, words) == []
