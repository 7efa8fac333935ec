"""Git, run so that nothing but the repository's own content decides what it answers."""

from __future__ import annotations

import contextlib
import os
import re
import signal
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

# User and password in a URL (RFC 3986, 3.2.1).
_USER_INFO = re.compile(r"://[^/@\s]*@")

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

    def run(
        self,
        *words: str,
        given: bytes = b"",
        extra: Mapping[str, str] | None = None,
        limit: float | None = None,
    ) -> bytes:
        """Run git; return its standard output.

        Args:
            words: The command and its arguments.
            given: Standard input.
            extra: More environment variables.
            limit: Seconds that it may take, for what goes over a network; None for any time.

        Raises:
            SourceError: Git is not installed, the folder is in no repository, git refuses, or has
                not come to its end in time.
        """
        try:
            process = subprocess.Popen(
                self._argv(words),
                env=self._env(extra),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # What git starts to reach a remote ends with it.
                start_new_session=limit is not None,
            )
        except OSError as error:
            raise SourceError(
                f"cannot run git in {self.folder}: {error.strerror}", hint="Install git."
            ) from error
        try:
            output, said = process.communicate(given, timeout=limit)
        except subprocess.TimeoutExpired as error:
            raise SourceError(
                f"{self.folder}: git {words[0]} did not come to its end within {limit:g} s"
            ) from error
        finally:
            if process.returncode is None:
                _end(process, group=limit is not None)
        if process.returncode != 0:
            raise SourceError(
                f"{self.folder}: git {words[0]}: {_last_line(said)}", hint=_hint(said)
            )
        return output

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


def _end(process: subprocess.Popen[bytes], *, group: bool) -> None:
    with contextlib.suppress(ProcessLookupError):
        if group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.communicate()


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines() or ["failed"]
    first = next((line for line in lines if line.startswith("fatal: ")), lines[-1])
    # A remote's URL may have a token in it.
    return _USER_INFO.sub("://", first.removeprefix("fatal: "))


def _hint(said: bytes) -> str:
    if b"not a git repository" in said:
        return "Castoff builds commits: run `git init`, `git add` and `git commit` first."
    if any(words in said for words in _CHANGED):
        return "A file changed while git read it: build again when nothing writes to it."
    if b"dubious ownership" in said:
        return "If you trust it: git config --global --add safe.directory <the repository>"
    return ""
