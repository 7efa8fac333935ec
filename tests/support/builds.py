"""Little git repositories, and real builds of them."""

from __future__ import annotations

import functools
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from castoff.builder.build import BuildResult, build
from castoff.builder.interpreter import uv
from castoff.builder.request import BuildRequest
from castoff.config.model import App, Build

# One pure, one compiled.
DEPENDENCIES = ("itsdangerous==2.2.0", "markupsafe==3.0.2")

PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "demo"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["itsdangerous", "markupsafe"]

[project.scripts]
demo = "demo.main:run"

[tool.setuptools]
packages = ["demo"]
"""

MAIN = """\
import json
import os
import sys
import time


def run():
    import itsdangerous
    import markupsafe._speedups
    import demo

    if "wait" in sys.argv:
        print("started", flush=True)
        sys.stdin.readline()
        import demo.late
        print(demo.late.WORD)
        return None
    facts = {
        "argv": sys.argv,
        "path": sys.path,
        "demo": demo.__file__,
        "itsdangerous": itsdangerous.__file__,
        "executable": sys.executable,
    }
    print(json.dumps(facts))
    return int(os.environ.get("STATUS", "0"))
"""

DEMO = {
    "pyproject.toml": PYPROJECT,
    "demo/__init__.py": "",
    "demo/main.py": MAIN,
    "demo/late.py": "WORD = 'one'\n",
}


@dataclass(frozen=True)
class Repository:
    """A git repository in a folder of the test."""

    folder: Path

    def git(self, *words: str) -> str:
        """Run git in it; return what it prints."""
        identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
        local = ("-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main")
        return subprocess.run(
            ["git", *identity, *local, *words],
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files into the working tree."""
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Mapping[str, str | bytes]) -> str:
        """Write files and commit everything; return the commit's id."""
        self.write(files)
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--message", "a change")
        return self.git("rev-parse", "HEAD")

    def build(self, output: Path, *, path: str = ".", **wanted: Any) -> BuildResult:
        """Build it; `wanted` is for the request, or else for the recipe."""
        progress = wanted.pop("progress", _silent)
        asked = {"ref", "version", "dirty", "environment", "workers", "cache"}
        request = {key: value for key, value in wanted.items() if key in asked}
        recipe = {key: value for key, value in wanted.items() if key not in asked}
        return build(
            BuildRequest(
                repository=self.folder,
                app="demo",
                recipe=App(path=path, build=Build(**recipe)),
                output=output,
                **request,
            ),
            progress=progress,
        )


def make_repository(folder: Path) -> Repository:
    """Make an empty repository."""
    folder.mkdir(parents=True)
    repository = Repository(folder)
    repository.git("init", "--quiet")
    return repository


def _silent(_stage: str, _detail: str) -> None:
    return


@functools.cache
def lock(*requirements: str) -> str:
    """Return a requirements file with digests."""
    argv = [uv(), "pip", "compile", "--quiet", "--generate-hashes", "--no-header"]
    argv += ["--python", sys.executable, "-"]
    return subprocess.run(
        argv, input="\n".join(requirements), check=True, capture_output=True, text=True
    ).stdout


def names(archive: Path) -> set[str]:
    """Return the names of the files and links in a tarball."""
    with tarfile.open(archive) as opened:
        return {member.name for member in opened if not member.isdir()}


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack a tarball as a person would; return the folder."""
    folder.mkdir(parents=True)
    subprocess.run(["tar", "-xzf", str(archive), "-C", str(folder)], check=True)
    return folder
