"""What the shell offers where somebody presses Tab."""

from __future__ import annotations

import os
import socket
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


def offered(folder: Path, words: str, *, before: str = ":") -> list[str]:
    program = Path(sys.executable).with_name("castoff")
    done = subprocess.run(
        ["sh", "-c", f"{before} && exec {program}"],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=120,
        env={
            **os.environ,
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
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


def test_nothing_is_offered_and_nothing_said_where_the_folder_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    for words in ("castoff status --env ", "castoff release ", "castoff push "):
        gone.mkdir()
        assert offered(gone, words, before=f"rmdir {gone}") == []


def test_a_store_that_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = f"""
            [store]
            url = "s3://bucket"
            endpoint_url = "http://127.0.0.1:{silent.getsockname()[1]}"
            region = "here"
            timeout = 3600
        """
        (tmp_path / "castoff.toml").write_text(store + CONFIG)
        assert offered(tmp_path, "castoff release ") == []
