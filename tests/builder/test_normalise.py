from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from castoff.builder.destination import Destination
from castoff.builder.distributions import installed
from castoff.builder.environment import tool_environment
from castoff.builder.errors import BuildError
from castoff.builder.installer_uv import UvInstaller
from castoff.builder.interpreter import find_interpreter
from castoff.builder.launchers import Acceptable, write_launchers
from castoff.builder.normalise import normalise, set_modes

SCRIPTS = {
    "old.py": b"#!python\nimport sys\nprint('old', sys.argv[1:])\n",
    "shell": b"#!/bin/sh\necho shell\n",
    "binary": b"\x7fELF\0\0",
}


def make_wheel(folder: Path) -> Path:
    """Write a wheel that brings scripts of its own, as old ones do, beside an entry point."""
    files = {
        "tool/__init__.py": b"def main():\n    print('tool')\n",
        "tool-1.dist-info/METADATA": b"Metadata-Version: 2.1\nName: Tool\nVersion: 1\n",
        "tool-1.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\nRoot-Is-Purelib: true\n",
        "tool-1.dist-info/entry_points.txt": b"[console_scripts]\ntool = tool:main\n",
        **{f"tool-1.data/scripts/{name}": content for name, content in SCRIPTS.items()},
    }
    record = ""
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
        record += f"{name},sha256={digest.decode()},{len(content)}\n"
    files["tool-1.dist-info/RECORD"] = f"{record}tool-1.dist-info/RECORD,,\n".encode()
    path = folder / "tool-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.fixture(params=["short", "with spaces " + "and very long " * 8])
def tree(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A tree with that wheel in `lib/`, by an interpreter at a short or an awkward path."""
    work, place = tmp_path / "work", tmp_path / request.param
    work.mkdir()
    env = tool_environment(os.environ, work=work, time=0)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    interpreter = find_interpreter(str(place / "bin/python"), cwd=tmp_path, env=env)
    installer = UvInstaller(Destination(interpreter, interpreter, None, musl=False), env, "")
    installer.install_wheel(make_wheel(tmp_path), tmp_path / "tree/lib")
    normalise(tmp_path / "tree/lib")
    return tmp_path / "tree"


def test_scripts_of_a_wheel_lose_the_path_of_the_interpreter(tree: Path) -> None:
    scripts = {path.name: path.read_bytes() for path in (tree / "lib/bin").iterdir()}
    assert scripts == {
        **SCRIPTS,
        "old.py": b"#!/usr/bin/env python3\nimport sys\nprint('old', sys.argv[1:])\n",
    }


def test_every_script_has_something_in_bin(tree: Path) -> None:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    allowed = Acceptable(version, exact=False, least=version)
    (tree / "lib/bin/__pycache__").mkdir()
    found = write_launchers(tree, installed(tree / "lib"), allowed)
    assert found == ("binary", "old.py", "shell", "tool")
    env = {"PATH": "/usr/bin:/bin", "CASTOFF_PYTHON": sys.executable}
    for name, said in (("tool", "tool\n"), ("old.py", "old ['x']\n"), ("shell", "shell\n")):
        argv = [str(tree / "bin" / name), *(["x"] if name == "old.py" else [])]
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == (said, ""), name
    assert (tree / "bin/binary").readlink() == Path("../lib/bin/binary")


def test_record_names_what_is_there_and_nothing_else(tree: Path) -> None:
    record = (tree / "lib/tool-1.dist-info/RECORD").read_text()
    assert [line.split(",")[0] for line in record.splitlines()] == [
        "bin/binary",
        "bin/old.py",
        "bin/shell",
        "tool-1.dist-info/INSTALLER",
        "tool-1.dist-info/METADATA",
        "tool-1.dist-info/RECORD",
        "tool-1.dist-info/WHEEL",
        "tool-1.dist-info/entry_points.txt",
        "tool/__init__.py",
    ]


def test_modes_are_two(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir(mode=0o700)
    for name, mode in (("a", 0o600), ("b", 0o4770), ("c", 0o444), ("folder/d", 0o700)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    (tmp_path / "link").symlink_to("/nowhere")
    set_modes(tmp_path)
    modes = {p.name: oct(p.stat().st_mode & 0o7777) for p in tmp_path.rglob("*") if p.exists()}
    assert modes == {
        "folder": "0o755",
        "a": "0o644",
        "b": "0o755",
        "c": "0o644",
        "d": "0o755",
    }


def test_what_is_no_installed_wheel_is_told(tmp_path: Path) -> None:
    (tmp_path / "odd-1.dist-info").mkdir()
    with pytest.raises(BuildError, match=r"odd-1\.dist-info: not an installed wheel"):
        normalise(tmp_path)
