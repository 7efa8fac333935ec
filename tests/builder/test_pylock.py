from __future__ import annotations

from pathlib import Path

import pytest

from castoff.builder.errors import SourceError
from castoff.builder.pylock import requirements_of

MARKERS = {"sys_platform": "linux", "python_version": "3.11"}
LOCK = """\
lock-version = "1.0"
[[packages]]
name = "one"
version = "1.0"
wheels = [{ name = "b", hashes = { sha256 = "bb" } }, { name = "a", hashes = { sha256 = "aa" } }]
[packages.sdist]
name = "c"
hashes = { sha256 = "cc" }
[[packages]]
name = "windows"
version = "2.0"
marker = "sys_platform == 'win32'"
wheels = [{ name = "d", hashes = { sha256 = "dd" } }]
"""


def read(folder: Path, text: str) -> str:
    path = folder / "pylock.toml"
    path.write_text(text)
    return requirements_of(path, name="pylock.toml", markers=MARKERS)


def test_packages_that_apply_have_the_hashes_of_all_their_files(tmp_path: Path) -> None:
    hashes = "--hash=sha256:aa --hash=sha256:bb --hash=sha256:cc"
    assert read(tmp_path, LOCK) == f"one==1.0 {hashes}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "pylock.toml: "),
        ('[[packages]]\nname = "x"\nversion = "1"\nmarker = "?"', "a marker cannot be evaluated"),
        ('[[packages]]\nname = "x"\nversion = "1"\n[packages.vcs]\ntype = "git"', "x is no file"),
        ('[[packages]]\nname = "x"\nwheels = [{ hashes = { sha256 = "a" } }]', "as PEP 751 has it"),
    ],
)
def test_what_cannot_be_installed_by_pip_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read(tmp_path, text)
