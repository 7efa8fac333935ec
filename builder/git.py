"""Git, run so that nothing but the repository's own content decides what it answers."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from castoff.builder.errors import SourceError

# A user's settings that change what `git archive` and `git add` write.
_SETTINGS = (
    "-c",
    "core.autocrlf=false",
    "-c",
    "core.eol=lf",
    "-c",
    f"core.attributesFile={os.devnull}",
    "-c",
    f"core.hooksPath={os.devnull}",
    "-c",
    "core.fsmonitor=false",
)

# What git says of a file that changes while it is read.
_CHANGED = (b"failed to read", b"short read", b"unstable object source")


@dataclass(frozen=True, slots=True)
class Git:
    """A repository, seen from one folder in it.

    Attributes:
        folder: Where git starts.
        environment: The caller's; of `GIT_*` nothing is handed on.
    """

    folder: Path
    environment: Mapping[str, str]

    def run(self, *words: str, given: bytes = b"", extra: Mapping[str, str] | None = None) -> bytes:
        """Run git; return its standard output.

        Args:
            words: The command and its arguments.
            given: Standard input.
            extra: More environment variables.

        Raises:
            SourceError: Git is not installed, the folder is in no repository, or git refuses.
        """
        try:
            done = subprocess.run(
                self._argv(words),
                env=self._env(extra),
                input=given,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise SourceError(
                f"cannot run git in {self.folder}: {error.strerror}", hint="Install git."
            ) from error
        if done.returncode != 0:
            raise SourceError(
                f"{self.folder}: git {words[0]}: {_last_line(done.stderr)}", hint=_hint(done.stderr)
            )
        return done.stdout

    def text(self, *words: str) -> str:
        """Run git; return its standard output without the newline at its end."""
        return self.run(*words).decode(errors="surrogateescape").rstrip("\n")

    def start(self, *words: str, extra: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start git with a pipe for its output and one for its errors."""
        return subprocess.Popen(
            self._argv(words),
            env=self._env(extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def _argv(self, words: Sequence[str]) -> list[str]:
        return ["git", *_SETTINGS, "-C", str(self.folder), *words]

    def _env(self, extra: Mapping[str, str] | None) -> dict[str, str]:
        kept = {k: v for k, v in self.environment.items() if not k.startswith("GIT_")}
        return {
            **kept,
            "LC_ALL": "C.UTF-8",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            **(extra or {}),
        }


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines() or ["failed"]
    first = next((line for line in lines if line.startswith("fatal: ")), lines[-1])
    return first.removeprefix("fatal: ")


def _hint(said: bytes) -> str:
    if b"not a git repository" in said:
        return "Castoff builds commits: run `git init`, `git add` and `git commit` first."
    if any(words in said for words in _CHANGED):
        return "A file changed while git read it: build again when nothing writes to it."
    if b"dubious ownership" in said:
        return "If you trust it: git config --global --add safe.directory <the repository>"
    return ""
