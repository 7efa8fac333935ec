"""A project's own build, with the real npm."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.node_build import run_node_build
from support.asset_builds import write

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")

SCRIPT = (
    "const fs = require('fs'); fs.mkdirSync('dist');"
    "fs.writeFileSync('dist/out.json', JSON.stringify(process.env));"
)
PACKAGE = {"name": "p", "version": "1.0.0", "scripts": {"build": "node build.js", "bad": "false"}}
LOCK = {
    "name": "p",
    "version": "1.0.0",
    "lockfileVersion": 3,
    "requires": True,
    "packages": {"": {"name": "p", "version": "1.0.0"}},
}
FILES = {
    "package.json": json.dumps(PACKAGE),
    "package-lock.json": json.dumps(LOCK),
    "build.js": SCRIPT,
}


def test_the_script_runs_without_the_builder_s_secrets(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    run_node_build(tmp_path, "build", env={**os.environ, "AWS_SECRET_ACCESS_KEY": "x"})
    seen = json.loads((tmp_path / "dist/out.json").read_bytes())
    assert seen["npm_lifecycle_event"] == "build"
    assert "AWS_SECRET_ACCESS_KEY" not in seen


def test_a_script_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "build.js": "throw new Error('no such entry')"})
    with pytest.raises(
        AssetError, match=r"npm run build failed with exit code 1:(?s:.*)no such entry"
    ):
        run_node_build(tmp_path, "build", env=dict(os.environ))


def test_a_lock_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    package = {**PACKAGE, "dependencies": {"left": "1.0.0"}}
    write(tmp_path, {**FILES, "package.json": json.dumps(package)})
    with pytest.raises(AssetError, match="npm ci"):
        run_node_build(tmp_path, "build", env=dict(os.environ))


def test_a_script_that_hangs_is_stopped_with_its_children(tmp_path: Path) -> None:
    script = "require('fs').writeFileSync('pid', `${process.pid}`); setInterval(() => {}, 1000)"
    write(tmp_path, {**FILES, "build.js": script})
    with pytest.raises(AssetError, match=r"npm run build did not end in 3 s"):
        run_node_build(tmp_path, "build", env=dict(os.environ), timeout=3)
    pid = int((tmp_path / "pid").read_text())
    for _ in range(100):  # init may take a moment to bury it
        if not _is_running(pid):
            return
        time.sleep(0.05)
    pytest.fail("the script still runs")


def _is_running(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "there is no such file"),
        ({"package.json": "{"}, "this is not JSON"),
        ({"package.json": "{}"}, "there is no script 'build'"),
        ({"package.json": FILES["package.json"]}, "there is no package-lock.json"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, files: dict[str, str], message: str) -> None:
    write(tmp_path, files)
    with pytest.raises(AssetError, match=message):
        run_node_build(tmp_path, "build", env=dict(os.environ))
