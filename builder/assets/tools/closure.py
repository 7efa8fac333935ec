"""Google's Closure Compiler, its native program for Linux, in SIMPLE mode."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from castoff.builder.assets import guard
from castoff.builder.assets.errors import AssetError, ToolDoesNotRun
from castoff.builder.assets.text import decode
from castoff.builder.assets.tool import Input, Output
from castoff.builder.assets.tools import node_programs, npm
from castoff.builder.assets.tools.lexer import Lexer

_ARGUMENTS = (
    "--compilation_level=SIMPLE",
    "--charset=UTF-8",
    "--language_out=UNSTABLE",
    "--warning_level=QUIET",
    "--env=BROWSER",
)
_ERROR = re.compile(r"stdin:(\d+):(\d+): ERROR - (?:\[\w+\] )?(.*)")


class Closure:
    """Scripts alone. Modules it joins to one program, whose exports nobody is to see any more.

    Neither `--chunk_output_type=ES_MODULES` nor `--dependency_mode=NONE` changes that: what a
    module imports has to be given too, and `await` at its top is not read.
    """

    def __init__(self, lexer: Lexer, cache: Path, env: Mapping[str, str]) -> None:
        self._lexer = lexer
        self._env = node_programs.clean_environment(env)
        name, version = npm.locked_version("closure")
        self._versions = {name: version}
        folder = npm.install("closure", cache, env)
        self._program = folder / "node_modules" / name / "compiler"
        self._program.chmod(0o755)

    @property
    def versions(self) -> Mapping[str, str]:
        """The npm package that holds the program."""
        return self._versions

    @property
    def options(self) -> str:
        """Its arguments."""
        return " ".join(_ARGUMENTS)

    def run(self, source: Input) -> Output:
        """Minify one script; see `AssetTool.run`."""
        text = decode(source.data, source.name)
        if self._lexer.is_module(text, source.name):
            raise AssetError(
                "it drops exports of modules",
                file=source.name,
            )
        try:
            done = subprocess.run(
                [str(self._program), *_ARGUMENTS],
                input=source.data,
                capture_output=True,
                env=self._env,
                check=False,
            )
        except OSError as error:
            raise ToolDoesNotRun(str(self._program), error.strerror or str(error)) from error
        if done.returncode:
            raise _translate(done.stderr.decode(errors="replace"), source.name)
        result = done.stdout.decode().rstrip()
        guard.check(source.name, text, result, tool="closure", line_comments=True)
        return Output(result.encode())

    def close(self) -> None:
        """Nothing is kept running."""


def _translate(said: str, name: str) -> AssetError:
    found = _ERROR.search(said)
    if found:
        return AssetError(found[3], file=name, line=int(found[1]), column=int(found[2]))
    return AssetError(f"closure failed: {said.strip()[-300:]}", file=name)
