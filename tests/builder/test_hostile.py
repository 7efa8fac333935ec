"""Projects that cannot be released as they are, met by the real command.

Each ends in one error that names what is wrong, an exit code of its own kind, and nothing in
`artifacts/` or among the temporary files.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from castoff.store.errors import ExitCode
from support.refusals import refused
from support.site import Site


@dataclass(frozen=True)
class Case:
    """A project that is refused: how it comes to be, and what is said."""

    make: Callable[[Path], object]
    code: ExitCode
    said: str


def pointer(folder: Path) -> None:
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"
    (folder / "logo.png").write_text(text)


def non_utf8(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.txt")).write_text("")


CASES = {
    "a link to a place outside": Case(
        lambda folder: (folder / "out").symlink_to("/etc/passwd"),
        ExitCode.UNFIT,
        "the link 'app/out' leaves the release: it leads to '/etc/passwd'",
    ),
    "a link out of the tree": Case(
        lambda folder: (folder / "out").symlink_to("../../other"),
        ExitCode.UNFIT,
        "the link 'app/out' leaves the release: it leads to '../../other'",
    ),
    "names that differ by case": Case(
        lambda folder: (folder / "PAGE.txt").write_text(""),
        ExitCode.UNFIT,
        "two names differ only by case or composition: 'app/PAGE.txt' and 'app/page.txt'",
    ),
    "names that look alike": Case(
        lambda folder: [(folder / name).write_text("") for name in ("\u00e9", "e\u0301")],
        ExitCode.UNFIT,
        r"two names differ only by case or composition: 'app/e\u0301' and 'app/\xe9'",
    ),
    "a name with a newline": Case(
        lambda folder: (folder / "new\nline").write_text(""),
        ExitCode.UNFIT,
        r"a name holds a newline or another control character: 'app/new\nline'",
    ),
    "a name that is not UTF-8": Case(
        non_utf8, ExitCode.UNFIT, r"a name is not UTF-8: b'app/caf\xe9.txt'"
    ),
    "a file in Git LFS": Case(pointer, ExitCode.SOURCE, "logo.png is in Git LFS"),
    "nothing but castoff.toml": Case(
        lambda folder: (folder / "page.txt").unlink(),
        ExitCode.UNFIT,
        "the release would hold no file of the project",
    ),
    "an include that takes nothing": Case(
        lambda folder: (folder / "castoff.toml").write_text(
            "[apps.site.build]\ninclude = ['pgae.txt']\n"
        ),
        ExitCode.SOURCE,
        "include: 'pgae.txt' fits no file",
    ),
    "a lock with a wrong digest": Case(
        lambda folder: (folder / "requirements.txt").write_text(
            f"itsdangerous==2.2.0 --hash=sha256:{'1' * 64}\n"
        ),
        ExitCode.WRONG_HASH,
        "requirements.txt: the file of itsdangerous 2.2.0",
    ),
    "a key": Case(
        lambda folder: (folder / ".env").write_text("A=1\n"), ExitCode.LEAK, "app/.env: "
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_project_that_cannot_be_released_is_refused_by_name(site: Site, name: str) -> None:
    case = CASES[name]
    case.make(site.folder)
    site.commit("something hostile")
    assert case.said in refused(site, case.code)


def test_an_index_that_is_down_is_told_apart_and_leaves_nothing(site: Site) -> None:
    site.variables |= {
        "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple",
        "UV_NO_CONFIG": "1",
        "UV_HTTP_RETRIES": "0",
        "XDG_CACHE_HOME": f"{site.folder}-cache",
    }
    site.write({"requirements.txt": f"itsdangerous==2.2.0 --hash=sha256:{'1' * 64}\n"})
    site.commit("a lock")
    said = refused(site, ExitCode.INDEX)
    assert "the package index 127.0.0.1:9 does not answer" in said


def test_what_is_hostile_may_be_left_out(site: Site) -> None:
    for make in (non_utf8, CASES["a link out of the tree"].make):
        make(site.folder)
    table = "[apps.site.build]\nexclude = ['caf*', 'out']\n"
    site.write({"castoff.toml": table})
    site.commit("left out")
    assert site.castoff("build").code == 0


def test_a_commit_without_files_is_refused(site: Site) -> None:
    site.git("rm", "-q", "--cached", "-r", ".")
    site.git("commit", "-q", "-m", "nothing")
    assert "there is no file in HEAD" in refused(site, ExitCode.SOURCE)


def test_a_repository_without_a_commit_is_refused(site: Site) -> None:
    shutil.rmtree(site.folder / ".git")
    site.git("init", "-q")
    assert "no commit is named 'HEAD'" in refused(site, ExitCode.SOURCE)


def test_a_submodule_is_refused(site: Site, tmp_path: Path) -> None:
    other = Site(tmp_path / "other")
    other.stamp("1")
    site.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.folder), "sub")
    site.commit("a submodule")
    assert "sub is a git submodule" in refused(site, ExitCode.SOURCE)
