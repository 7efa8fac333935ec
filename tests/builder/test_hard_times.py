"""Builds whose files change, whose disk is full, that are killed, or that have little memory."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from castoff.builder.work_folder import remove_abandoned, work_folder
from castoff.store.errors import ExitCode
from support.refusals import leftovers, refused
from support.site import CASTOFF, Outcome, Site

MB = 1024 * 1024


class Scribbler(threading.Thread):
    """Changes a file until it is stopped."""

    def __init__(self, path: Path, change: Callable[[Path], object]) -> None:
        super().__init__(daemon=True)
        self._path, self._change = path, change
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(0.001):
            self._change(self._path)

    def stop(self) -> None:
        self._done.set()
        self.join()


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(8))


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def cut(path: Path) -> None:
    os.truncate(path, MB if path.stat().st_size > MB else 40 * MB)


@pytest.mark.parametrize("change", [overwrite, grow, cut])
def test_a_file_that_changes_while_a_dirty_build_reads_it_is_named(
    site: Site, change: Callable[[Path], object]
) -> None:
    page = site.folder / "page.txt"
    os.truncate(page, 40 * MB)
    scribbler = Scribbler(page, change)
    scribbler.start()
    try:
        said = refused(site, ExitCode.SOURCE, "--dirty")
    finally:
        scribbler.stop()
    assert "'page.txt'" in said
    assert "changed while" in said or "A file changed while git read it" in said


def in_namespace(site: Site, mount: str, *words: str) -> Outcome:
    """Build with a file system of its own mounted."""
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{mount} && exec "$@"', "sh", str(CASTOFF), *words],
        cwd=site.folder,
        env=site.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def is_able_to_mount() -> bool:
    command = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]
    return shutil.which("unshare") is not None and (
        subprocess.run(command, capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(not is_able_to_mount(), reason="needs the right to mount")
@pytest.mark.parametrize(
    ("place", "option", "code", "said"),
    [
        ("tmp", "size=4m", ExitCode.BUILD, "TMPDIR names another place"),
        ("artifacts", "size=1m", ExitCode.STORE, "artifacts: No space left on device"),
        ("artifacts", "ro", ExitCode.STORE, "Read-only file system"),
    ],
)
def test_a_disk_that_takes_no_more_is_told_and_nothing_half_done_stays(
    site: Site, place: str, option: str, code: ExitCode, said: str
) -> None:
    (site.folder / "page.txt").write_bytes(os.urandom(3 * MB))
    site.commit("a large page")
    folder = Path(site.variables["TMPDIR"]) if place == "tmp" else site.folder / place
    folder.mkdir(exist_ok=True)
    mount = f"mount -t tmpfs -o {option} none {folder}"
    outcome = in_namespace(site, mount, "build", "--version", "1.0")

    assert outcome.code == code, outcome.err
    assert said in outcome.err
    assert leftovers(site) == []
    assert site.castoff("build", "--version", "1.0").code == 0
    assert site.castoff("verify", "1.0").code == 0


def test_a_build_that_was_killed_leaves_a_version_that_is_whole_or_none_and_is_built_again(
    site: Site,
) -> None:
    (site.folder / "page.txt").write_bytes(os.urandom(20 * MB))
    site.commit("a large page")
    for stage in ("tree", "archive", "manifest"):
        killed = site.start("build", "--version", "1.0")
        assert killed.stderr is not None
        for line in killed.stderr:
            if f"s  {stage}:" in line:
                break
        killed.kill()
        killed.wait()
        killed.communicate()
        if list((site.folder / "artifacts").glob("*.manifest.json")):
            assert site.castoff("verify", "1.0").code == 0

    outcome = site.castoff("build", "--version", "1.0")
    assert outcome.code == 0, outcome.err
    assert site.castoff("verify", "1.0").code == 0
    assert list(Path(site.variables["TMPDIR"]).iterdir()) == []


def test_folders_of_builds_that_live_and_of_others_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "castoff-build-unlocked-as-yet").mkdir()
    dead = tmp_path / "castoff-build-dead"
    dead.mkdir()
    (dead / "alive").write_text("")
    with work_folder() as living:
        remove_abandoned(tmp_path)
        assert living.is_dir()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["castoff-build-unlocked-as-yet"]


def test_what_of_a_dead_build_cannot_be_removed_now_is_removed_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = tmp_path / "castoff-build-dead"
    for name in ("source", "tree"):
        (dead / name).mkdir(parents=True)
    (dead / "alive").write_text("")
    remove = shutil.rmtree

    def meet_a_writer(folder: str | Path) -> None:
        for path in Path(folder).iterdir():
            if path.is_file():
                path.unlink()
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(folder))

    monkeypatch.setattr(shutil, "rmtree", meet_a_writer)
    remove_abandoned(tmp_path)
    assert dead.is_dir()
    monkeypatch.setattr(shutil, "rmtree", remove)
    remove_abandoned(tmp_path)
    assert not dead.exists()


def test_half_written_files_of_killed_builds_go_after_a_day(site: Site) -> None:
    folder = site.folder / "artifacts"
    folder.mkdir()
    for name, age in ((".~old", 90_000), (".~of-another-build", 10)):
        (folder / name).write_text("")
        os.utime(folder / name, (time.time() - age,) * 2)
    assert site.castoff("build").code == 0
    assert [path.name for path in folder.glob(".*")] == [".~of-another-build"]


def build_of_large_file(site: Site, size: int) -> tuple[Path, int]:
    """Build a sparse file of so many bytes; return the archive, and the most memory in bytes."""
    site.git("config", "core.bigFileThreshold", "1m")
    os.truncate(site.folder / "page.txt", size)
    site.commit("a very large page")
    script = (
        "import os, resource, subprocess, sys; "
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, check=True); "
        "most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss; "
        "sys.stdout.write('%d %s' % (most * 1024, done.stdout.decode()))"
    )
    words = [str(CASTOFF), "build", "--version", "1.0", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=site.folder,
        env=site.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    most, _, answer = done.stdout.partition(" ")
    return Path(json.loads(answer)["archive"]), int(most)


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("tarball", 80 * MB),
        pytest.param("tarball", 3100 * MB, marks=pytest.mark.sweep),
        pytest.param("zipapp", 3100 * MB, marks=pytest.mark.sweep),
    ],
)
def test_a_large_file_is_built_in_little_memory(site: Site, kind: str, size: int) -> None:
    if kind == "zipapp":
        site.write(
            {
                "castoff.toml": '[apps.site.build]\nformat = "zipapp"\ninclude = ["page.txt"]\n',
                "pyproject.toml": PYPROJECT,
                "site_app.py": "def run():\n    pass\n",
            }
        )
    archive, most = build_of_large_file(site, size)

    assert most < 150 * MB
    assert site.castoff("verify", "1.0", timeout=250).code == 0
    if kind == "tarball":
        listing = subprocess.run(
            ["tar", "-tvzf", archive], capture_output=True, text=True, check=True
        )
        assert f" {size} " in listing.stdout


PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "site"
version = "1.0"

[project.scripts]
site = "site_app:run"

[tool.setuptools]
py-modules = ["site_app"]
"""
