from __future__ import annotations

import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from castoff.builder.build import BuildResult
from castoff.builder.errors import BuildError, SourceError
from castoff.store.digest import sha256, tree_digest
from castoff.store.filetable import FileTable
from castoff.store.local_artifact import load_local, verify_local
from support.builds import DEMO, Repository, lock, make_repository


def table_of(result: BuildResult) -> FileTable:
    folder = result.archive.parent
    return verify_local(load_local(folder, "demo", result.manifest.version))


def test_it_runs(zipapp: BuildResult, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", zipapp.archive, "a b"],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"a b"' in done.stdout
    assert f"{tmp_path}/.shiv/" in done.stdout
    assert zipapp.archive.stat().st_mode & 0o111


def test_the_same_tree_is_in_both_formats(zipapp: BuildResult, tarball: BuildResult) -> None:
    assert zipapp.manifest.tree_sha256 == tarball.manifest.tree_sha256
    assert zipapp.manifest.target == tarball.manifest.target
    assert zipapp.manifest.entry_points == tarball.manifest.entry_points
    assert tree_digest(table_of(zipapp)) == tree_digest(table_of(tarball))


def test_each_file_of_the_tree_is_one_entry_at_its_place(zipapp: BuildResult) -> None:
    data, table = zipapp.archive.read_bytes(), table_of(zipapp)
    for file in table.files:
        member = table.members[file.member]
        raw = data[member.offset : member.offset + member.length]
        content = zlib.decompress(raw, -15) if member.codec == "deflate" else raw
        assert (file.start, file.size, member.raw_length) == (0, len(content), len(content))
        assert sha256(content) == file.sha256
    offsets = [member.offset for member in table.members]
    assert offsets == sorted(offsets)


def test_its_entries_have_fixed_times_modes_and_order(zipapp: BuildResult) -> None:
    with zipfile.ZipFile(zipapp.archive) as archive:
        assert archive.testzip() is None
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert len({entry.filename for entry in entries}) == len(entries)
    assert len({entry.date_time for entry in entries}) == 1
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644, 0o100755}
    assert {entry.create_system for entry in entries} == {3}
    listed = {entry.filename for entry in entries}
    assert {"__main__.py", "environment.json", "castoff.json", "bin/demo"} <= listed
    assert "site-packages/demo/main.py" in listed


def test_a_changed_file_on_the_host_is_noticed(zipapp: BuildResult, tmp_path: Path) -> None:
    command = [sys.executable, "-I", str(zipapp.archive)]
    env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    subprocess.run(command, env=env, check=True, capture_output=True)
    (main,) = tmp_path.glob(".shiv/*/site-packages/demo/main.py")
    main.write_text(main.read_text() + "\n")
    done = subprocess.run(command, env=env, check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert "has been modified" in done.stderr


def test_without_a_console_script_there_is_no_zipapp(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repository")
    repository.commit({"requirements.txt": lock("itsdangerous==2.2.0"), "main.py": ""})
    with pytest.raises(SourceError, match="none of its own") as caught:
        repository.build(tmp_path / "out", format="zipapp")
    assert "entry_point" in caught.value.hint
    assert not list((tmp_path / "out").glob("*"))


def test_of_several_console_scripts_one_must_be_named(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repository")
    scripts = '[project.scripts]\nother = "demo.main:run"\n'
    pyproject = DEMO["pyproject.toml"].replace("[project.scripts]\n", scripts)
    repository.commit(
        {**DEMO, "pyproject.toml": pyproject.replace(', "markupsafe"', ""),
         "requirements.txt": lock("itsdangerous==2.2.0")}
    )  # fmt: skip
    with pytest.raises(SourceError, match=r"several \(demo, other\)"):
        repository.build(tmp_path / "out", format="zipapp")
    with pytest.raises(SourceError, match="no console script is named 'third'"):
        repository.build(tmp_path / "out", format="zipapp", entry_point="third")
    repository.build(tmp_path / "out", format="zipapp", entry_point="other")


LEGACY = """\
from setuptools import setup

setup(
    name="demo", version="1.0", packages=["demo"],
    entry_points={"console_scripts": ["demo = demo.main:run"]},
)
"""


@pytest.mark.parametrize(
    "scripts", ["", '[project.scripts]\na = "demo.main:run"\n[project.gui-scripts]\nb = "c:d"\n']
)
def test_a_missing_or_ambiguous_script_is_told_before_anything_is_installed(
    repository: Repository, tmp_path: Path, scripts: str
) -> None:
    head = DEMO["pyproject.toml"].partition("[project.scripts]")[0]
    # What cannot be installed, if it were tried.
    wrong = f"itsdangerous==2.2.0 --hash=sha256:{'1' * 64}\n"
    repository.commit({**DEMO, "pyproject.toml": head + scripts, "requirements.txt": wrong})
    with pytest.raises(SourceError, match="a zipapp starts one console script"):
        repository.build(tmp_path / "out", format="zipapp")
    with pytest.raises(BuildError, match=r"requirements\.txt"):
        repository.build(tmp_path / "out", format="zipapp", entry_point="a")


def test_a_script_that_only_the_back_end_knows_is_found(
    repository: Repository, tmp_path: Path
) -> None:
    system = DEMO["pyproject.toml"].partition("[project]")[0]
    repository.commit({**DEMO, "pyproject.toml": system, "setup.py": LEGACY})
    repository.build(tmp_path / "out", format="zipapp")


def test_a_static_site_cannot_be_a_zipapp(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"index.html": ""})
    with pytest.raises(SourceError, match="a zipapp starts one console script"):
        repository.build(tmp_path / "out", format="zipapp")
