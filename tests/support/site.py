"""A small real project under git, and the command line run on it as a user would.

Every page of a version carries that version's stamp, and the server (`support/pages_server.py`)
reads all pages through `current` at each request: a reader who ever meets a half-copied or mixed
release sees stamps that differ or are missing.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import warm

PAGES = 40
CASTOFF = Path(sys.executable).with_name("castoff")


@dataclass(frozen=True)
class Outcome:
    """What a run of the command line left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, parsed."""
        return json.loads(self.out)


class Site:
    """A git repository with a castoff.toml; `home` is the user's home for its commands."""

    def __init__(self, folder: Path, *, variables: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.home = folder.parent / "home"
        self.home.mkdir(exist_ok=True)
        self.variables = variables or {}
        folder.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        """Run git in the repository; return what it prints."""
        identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
        return subprocess.run(
            ["git", *identity, *words], cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout

    def write(self, files: dict[str, str]) -> None:
        """Write files into the working tree."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def commit(self, message: str) -> str:
        """Commit everything; return the commit's id."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD").strip()

    def stamp(self, version: str, *, weight: int = 0) -> None:
        """Make the tree that of a version: each page holds its stamp.

        All pages together weigh `weight` bytes more, of a kind that does not compress away.
        """
        noise = random.Random(version)
        pages = {
            f"pages/{number:02}.txt": f"{version}\n{noise.randbytes(weight // PAGES // 2).hex()}\n"
            for number in range(PAGES)
        }
        self.write(pages)
        self.commit(f"version {version}")

    def environment(self) -> dict[str, str]:
        """Return the environment of the command line: a user's, with a home of its own."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CASTOFF_"))}
        return {**kept, "HOME": str(self.home), "CI": "true", **self.variables}

    def castoff(self, *words: str, timeout: float = 120) -> Outcome:
        """Run `castoff` in the repository and wait for it."""
        # What is said to the interpreter needs one of its own.
        if any(name.startswith("PYTHON") for name in self.variables):
            done = subprocess.run(
                [str(CASTOFF), *words],
                cwd=self.folder,
                env=self.environment(),
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                timeout=timeout,
                check=False,
            )
        else:
            done = warm.run(
                CASTOFF, words, folder=self.folder, environment=self.environment(), timeout=timeout
            )
        assert "Traceback" not in done.stderr, done.stderr
        return Outcome(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `castoff` and return at once."""
        return subprocess.Popen(
            [str(CASTOFF), *words],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def publish(self, version: str, *, weight: int = 0) -> None:
        """Stamp, build and push a version."""
        self.stamp(version, weight=weight)
        for words in (("build", "--version", version), ("push", version)):
            outcome = self.castoff(*words)
            assert outcome.code == 0, outcome.err
