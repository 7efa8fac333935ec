from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from castoff.builder.build import BuildResult
from support.builds import Repository

# A build in a process of its own, as a locale and an umask belong to a process.
SCRIPT = """
import json, os, sys
from pathlib import Path
from castoff.builder.build import build
from castoff.builder.request import BuildRequest
from castoff.config.model import App, Build
asked = json.loads(sys.argv[1])
os.umask(int(asked["umask"], 8))
request = BuildRequest(
    repository=Path(asked["repository"]),
    app="demo",
    recipe=App(build=Build(format=asked["format"])),
    output=Path(asked["output"]),
    version="1.0",
    workers=asked["workers"],
    cache=Path(asked["cache"]) if asked["cache"] else None,
)
build(request, progress=lambda stage, detail: None)
"""


def build_elsewhere(
    repository: Path,
    output: Path,
    *,
    cwd: Path,
    variables: dict[str, str],
    cache: Path | None = None,
    **asked: Any,
) -> dict[str, bytes]:
    asked.update(repository=str(repository), output=str(output), cache=str(cache or ""))
    subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(asked)],
        cwd=cwd,
        env={**os.environ, **variables},
        check=True,
    )
    return contents(output)


def contents(folder: Path) -> dict[str, bytes]:
    # The one hidden file is git's, of a folder that a build has made.
    return {path.name: path.read_bytes() for path in folder.glob("[!.]*")}


@pytest.mark.parametrize("kind", ["tarball", "zipapp"])
def test_the_same_commit_gives_the_same_bytes_anywhere(
    demo: Repository, tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    first: BuildResult = request.getfixturevalue(kind)
    # Not the whole folder: other tests of the session put attestations beside the artifact.
    built = (first.archive, first.table, first.manifest_path)
    wanted = {path.name: path.read_bytes() for path in built}
    elsewhere = tmp_path / "another place, with spaces"
    shutil.copytree(demo.folder, elsewhere, symlinks=True)
    # Another order of the file system's entries, and other times and modes.
    for path in sorted(elsewhere.glob("demo/*"), reverse=True):
        copy = path.with_name("copy")
        shutil.copyfile(path, copy)
        copy.replace(path)
    home = tmp_path / "home"
    home.mkdir()
    here = build_elsewhere(
        demo.folder,
        tmp_path / "one",
        cwd=Path("/"),
        variables={"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "7"},
        umask="077",
        workers=1,
        format=kind,
    )
    there = build_elsewhere(
        elsewhere,
        tmp_path / "two",
        cwd=tmp_path,
        variables={
            "TZ": "America/St_Johns",
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "USER": "somebody",
            "TMPDIR": str(home),
            "PYTHONDONTWRITEBYTECODE": "",
            "CFLAGS": "-g",
        },
        umask="000",
        workers=5,
        format=kind,
        cache=tmp_path / "cache",
    )
    # What the one before it, with another umask and number of workers, has left in the cache.
    again = build_elsewhere(
        demo.folder,
        tmp_path / "three",
        cwd=Path("/"),
        variables={"TZ": "Asia/Kathmandu", "LC_ALL": "POSIX", "PYTHONHASHSEED": "11"},
        umask="027",
        workers=2,
        format=kind,
        cache=tmp_path / "cache",
    )
    assert list((tmp_path / "cache" / "dependencies").glob("*/*"))
    assert again == wanted
    assert here == wanted
    assert there == wanted
    # Nothing is left behind, nor kept in the user's own caches.
    assert not list(home.iterdir())
