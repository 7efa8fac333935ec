"""Locks of Poetry and Pipenv, made and read by those tools; uv fetches them from the real index."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from castoff.builder.errors import SourceError, StaleLock
from castoff.builder.interpreter import uv
from castoff.builder.lock_export import TOOLS
from support.builds import Repository, names
from support.local_index import Index, local_index, wheel

POETRY = """\
[tool.poetry]
package-mode = false

[tool.poetry.dependencies]
python = ">=3.10"
thing = "1.0"
windows = {{ version = "1.0", markers = "sys_platform == 'win32'" }}
unwanted = {{ version = "1.0", optional = true }}

[tool.poetry.extras]
more = ["unwanted"]

[tool.poetry.group.dev.dependencies]
tester = "1.0"

[[tool.poetry.source]]
name = "local"
url = "{url}/"
"""
PIPENV = """\
[[source]]
name = "local"
url = "{url}"
verify_ssl = false

[packages]
thing = "==1.0"
windows = {{ version = "==1.0", markers = "sys_platform == 'win32'" }}
unwanted = {{ version = "*", sys_platform = "== 'win32'" }}

[dev-packages]
tester = "==1.0"
"""


@pytest.fixture
def index() -> Iterator[Index]:
    made = [
        wheel(name, "1.0", {f"{name}.py": ""})
        for name in ("thing", "windows", "unwanted", "tester")
    ]
    with local_index(*made) as served:
        yield served


def lock_with(tool: str, folder: Path) -> None:
    words = [uv(), "tool", "run", "--quiet", "--python", sys.executable]
    words += ["--from", TOOLS[tool], TOOLS[tool].split("==")[0], "lock"]
    env = {**os.environ, "PIPENV_IGNORE_VIRTUALENVS": "1", "WORKON_HOME": str(folder.parent)}
    env |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("lock", "source", "text", "stale"),
    [
        ("poetry.lock", "pyproject.toml", POETRY, ('thing = "1.0"', 'thing = ">=1.0"')),
        ("Pipfile.lock", "Pipfile", PIPENV, ('thing = "==1.0"', 'thing = ">=1.0"')),
    ],
)
def test_only_what_runs_here_in_production_is_installed(
    repository: Repository,
    index: Index,
    tmp_path: Path,
    lock: str,
    source: str,
    text: str,
    stale: tuple[str, str],
) -> None:
    repository.write({source: text.format(url=index.url)})
    lock_with(lock, repository.folder)
    # Of two locks the tool's own counts.
    repository.commit({"requirements.txt": ""})
    result = repository.build(tmp_path / "out")
    files = {name for name in names(result.archive) if name.startswith("lib/")}
    assert {name for name in files if name.count("/") == 1} == {"lib/thing.py"}
    assert result.lock is not None
    assert result.lock.name == lock
    tool, _, version = TOOLS[lock].partition("==")
    assert result.manifest.built_with[tool] == version

    project = (repository.folder / source).read_text()
    repository.commit({source: project.replace(*stale)})
    with pytest.raises(StaleLock, match=f"{lock} is out of date") as caught:
        repository.build(tmp_path / "stale")
    assert f"{tool} lock" in caught.value.hint
    assert not (tmp_path / "stale").exists()

    (repository.folder / source).unlink()
    repository.git("commit", "--quiet", "--all", "--message", "without it")
    with pytest.raises(SourceError, match=f"{lock}: there is no {source} beside it"):
        repository.build(tmp_path / "alone")


def test_a_lock_without_hashes_is_refused(
    repository: Repository, index: Index, tmp_path: Path
) -> None:
    repository.write({"pyproject.toml": POETRY.format(url=index.url)})
    lock_with("poetry.lock", repository.folder)
    locked = (repository.folder / "poetry.lock").read_text()
    bare = re.sub(r"^    \{file = .*\n", "", locked, flags=re.MULTILINE)
    repository.commit({"poetry.lock": bare})
    with pytest.raises(SourceError, match=r"^poetry\.lock: without a hash .*: thing==1\.0$"):
        repository.build(tmp_path / "out")
