"""Projects that cannot be released as they are, met by the real command.

Each ends in one error that names what is wrong, an exit code of its own kind, and nothing in
`artifacts/` or among the temporary files.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from castoff.builder.work_folder import remove_abandoned, work_folder
from castoff.store.errors import ExitCode
from support.site import CASTOFF, Outcome, Site

MB = 1024 * 1024


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A project of one page, whose builds have a folder of temporary files of their own."""
    made = Site(tmp_path / "site")
    (tmp_path / "tmp").mkdir()
    made.variables["TMPDIR"] = str(tmp_path / "tmp")
    made.write({"castoff.toml": "[apps.site]\n", "page.txt": "a page\n"})
    made.commit("a page")
    return made


def leftovers(site: Site) -> list[str]:
    """Return what builds have left in artifacts/ and among the temporary files."""
    places = (site.folder / "artifacts", Path(site.variables["TMPDIR"]))
    return [path.name for place in places if place.is_dir() for path in place.iterdir()]


def refused(site: Site, code: ExitCode, *words: str) -> str:
    """Build, and see it refused as it should be; return what was said."""
    outcome = site.castoff("build", "--version", "1.0", *words)
    assert outcome.code == code, outcome.err
    assert outcome.err.count("castoff: ") == 1
    assert outcome.err.count("  -> ") >= 1
    assert outcome.out == ""
    assert leftovers(site) == []
    return outcome.err


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


def test_the_user_is_told_what_is_not_in_the_build(site: Site) -> None:
    clean = site.castoff("build", "--version", "1")
    site.write({"page.txt": "another\n", "untracked.txt": ""})
    changed = site.castoff("build", "--version", "1")
    head = site.git("rev-parse", "HEAD").strip()
    site.commit("two files")
    older = site.castoff("build", "--version", "1", "--ref", head)
    site.write({"page.txt": "a third\n", "castoff.toml": "[apps.site]\n\n"})
    many = site.castoff("build", "--version", "2")

    assert "warning" not in clean.err
    assert (
        "1 tracked file differs from HEAD; what is on disk is not in the build: 'page.txt'\n"
        in (changed.err)
    )
    assert "warning" not in older.err
    assert "2 tracked files differ from HEAD" in many.err
    assert "(castoff.toml alone is read as it is on disk)" in many.err


def test_the_user_is_told_that_castoff_toml_is_not_the_commit_s(site: Site) -> None:
    head = site.git("rev-parse", "HEAD").strip()
    site.write({"page.txt": "another\n"})
    site.commit("another page")
    site.write({"castoff.toml": "[apps.site]\n[apps.site.build]\nexclude = ['no.txt']\n"})
    changed = site.castoff("build", "--version", "1", "--ref", head)
    site.git("rm", "--quiet", "--cached", "castoff.toml")
    site.git("commit", "--quiet", "--message", "none")
    none = site.castoff("build", "--version", "2")

    place = f"castoff.toml differs from that of {head} ({head[:10]}), and is read as it is on disk"
    assert f"warning: {place}\n" in changed.err
    assert "warning: castoff.toml is not in HEAD (" in none.err


def test_what_castoff_toml_said_of_the_build_is_in_the_manifest(site: Site) -> None:
    recipes = []
    for number, text in enumerate(
        (
            "[apps.site]\n",
            "# a note\n[apps.site]\nshared = ['media/']\n",
            "[apps.site]\n[apps.site.build]\nexclude = ['no.txt']\n",
        )
    ):
        site.write({"castoff.toml": text})
        built = site.castoff("build", "--version", str(number), "--json")
        assert built.code == 0, built.err
        document = json.loads(Path(built.json["manifest"]).read_bytes())
        provenance = json.loads(Path(built.json["provenance"]).read_bytes())["predicate"]
        recipes.append(document["built_with"]["recipe"])
        definition = provenance["buildDefinition"]
        assert definition["externalParameters"]["recipe"] == recipes[-1]
        assert "recipe" not in provenance["runDetails"]["builder"]["version"]
    assert recipes[0] == recipes[1]
    assert recipes[0] != recipes[2]


def test_the_user_is_told_of_a_version_that_a_tag_would_spell_otherwise(site: Site) -> None:
    site.git("tag", "v1.5")
    spelled = site.castoff("build", "--version", "v1.5")
    plain = site.castoff("build", "--version", "1.5")

    assert "the tag v1.5 would give 1.5, and that is another version" in spelled.err
    assert "warning" not in plain.err


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
