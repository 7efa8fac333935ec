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
from castoff.builder.distributions import Distribution
from castoff.builder.errors import BuildError
from castoff.builder.launchers import Acceptable, parse_reference, write_launchers
from support.builds import unpack

MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
# The interpreter itself, not that of the environment that the tests run in.
PYTHON = Path(os.path.realpath(sys.executable))


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH as on a server: standard tools, and a Python of the right version by its name."""
    folder = tmp_path / "host-bin"
    folder.mkdir()
    (folder / f"python{MINOR}").symlink_to(PYTHON)
    return f"{folder}:/usr/bin:/bin"


@pytest.fixture
def release(tarball: BuildResult, tmp_path: Path) -> Path:
    """The demo, unpacked as a release on a host."""
    return unpack(tarball.archive, tmp_path / "root/releases/1.0")


def run(
    argv: list[str | Path], path: str, *, cwd: Path | str = "/", **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in argv],
        env={"PATH": path, **variables},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def facts(argv: list[str | Path], path: str, **more: Any) -> Any:
    done = run(argv, path, **more)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_an_unpacked_release_runs_without_castoff(release: Path, path: str) -> None:
    told = facts([release / "bin/demo", "a b", "c"], path)
    assert told["argv"] == [str(release / "bin/demo"), "a b", "c"]
    assert told["demo"] == str(release / "project/demo/__init__.py")
    assert told["path"][:3] == [str(release / name) for name in ("project", "lib", "app")]
    outside = [p for p in told["path"][3:] if not p.startswith(str(PYTHON.parents[1]))]
    assert not outside
    assert not [p for p in told["path"] if p.endswith(("site-packages", "dist-packages"))]


def shown(release: Path, argv: list[str | Path], path: str, **variables: str) -> str:
    """Return the release that /proc shows for a process of a launcher."""
    (release / "project/demo/main.py").chmod(0o644)
    (release / "project/demo/main.py").write_text(
        "from pathlib import Path\n\ndef run():\n"
        "    for text in Path('/proc/self/environ').read_bytes().split(bytes(1)):\n"
        "        if text.startswith(b'CASTOFF_RELEASE='):\n            print(text.decode())\n"
    )
    for compiled in release.glob("project/demo/__pycache__/*.pyc"):
        compiled.unlink()
    done = run(argv, path, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().removeprefix("CASTOFF_RELEASE=")


def test_a_process_shows_its_release_even_if_one_of_another_release_executed_it(
    release: Path, path: str
) -> None:
    assert shown(release, [release / "bin/demo"], path) == str(release)
    upgraded: list[str | Path] = [PYTHON, release / "bin/demo"]
    old = str(release.with_name("0.9"))
    assert shown(release, upgraded, path, CASTOFF_RELEASE=old) == str(release)


def test_the_exit_status_is_the_programs(release: Path, path: str) -> None:
    assert run([release / "bin/demo"], path, STATUS="7").returncode == 7


def test_a_release_runs_from_anywhere(release: Path, path: str, tmp_path: Path) -> None:
    moved = tmp_path / "a folder; with $signs 'and' spaces"
    shutil.move(release, moved)
    (tmp_path / "by-link").symlink_to(moved)
    (tmp_path / "demo-link").symlink_to("by-link/bin/demo")
    (tmp_path / "other-link").symlink_to(tmp_path / "demo-link")
    ways: list[tuple[str, Path]] = [
        ("bin/demo", moved),
        ("./demo", moved / "bin"),
        (str(moved / "bin/demo"), Path("/")),
        ("by-link/bin/demo", tmp_path),
        ("./demo-link", tmp_path),
        (str(tmp_path / "other-link"), Path("/")),
        ("../../bin/demo", moved / "project/demo"),
    ]
    for word, folder in ways:
        told = facts([word], path, cwd=folder)
        assert told["demo"] == str(moved / "project/demo/__init__.py"), word
    found = facts(["demo"], f"{moved}/bin:{path}")
    assert found["demo"] == str(moved / "project/demo/__init__.py")
    told = facts(["sh", "demo"], path, cwd=moved / "bin")
    assert told["demo"] == str(moved / "project/demo/__init__.py")


def test_python_may_be_given_the_launcher_itself(release: Path, path: str, tmp_path: Path) -> None:
    (tmp_path / "root/current").symlink_to("releases/1.0")
    told = facts([PYTHON, tmp_path / "root/current/bin/demo"], path)
    assert told["argv"] == [str(tmp_path / "root/current/bin/demo")]
    assert told["path"][:3] == [str(release / name) for name in ("project", "lib", "app")]


def test_a_process_stays_in_the_release_it_was_started_in(
    release: Path, path: str, tmp_path: Path
) -> None:
    other = release.parent / "2.0"
    shutil.copytree(release, other, symlinks=True)
    (other / "project/demo/late.py").write_text("WORD = 'two'\n")
    shutil.rmtree(other / "project/demo/__pycache__")
    current = tmp_path / "root/current"
    current.symlink_to("releases/1.0")
    command = [str(current / "bin/demo"), "wait"]
    started = subprocess.Popen(
        command, env={"PATH": path}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "started\n"
    (tmp_path / "root/next").symlink_to("releases/2.0")
    (tmp_path / "root/next").replace(current)
    assert started.communicate("\n")[0] == "one\n"
    after = subprocess.run(
        command, env={"PATH": path}, input="\n", capture_output=True, text=True, check=True
    )
    assert after.stdout == "started\ntwo\n"


def test_bin_python_has_the_releases_modules_and_so_have_its_children(
    release: Path, path: str
) -> None:
    script = (
        "import subprocess, sys, json, demo; "
        "child = subprocess.run([sys.executable, '-c', 'import demo; print(demo.__file__)'], "
        "capture_output=True, text=True).stdout.strip(); "
        "print(json.dumps([demo.__file__, child, sys.argv[1:]]))"
    )
    here, child, words = facts([release / "bin/python", "-c", script, "a b"], path)
    assert here == child == str(release / "project/demo/__init__.py")
    assert words == ["a b"]
    done = run([release / "bin/python", "-m", "demo.late"], path)
    assert (done.returncode, done.stderr) == (0, "")


def test_running_writes_nothing_into_the_release(release: Path, path: str) -> None:
    shutil.rmtree(release / "project/demo/__pycache__")
    before = sorted(release.rglob("*"))
    facts([release / "bin/demo"], path)
    run([release / "bin/python", "-c", "import demo.main"], path)
    assert sorted(release.rglob("*")) == before


def wrapper(place: Path, word: str) -> Path:
    """Write an interpreter that can be told from another by what it prints first."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f'#!/bin/sh\necho {word} >&2\nexec "{PYTHON}" "$@"\n')
    place.chmod(0o755)
    return place


def test_interpreters_are_tried_in_their_order(release: Path, path: str, tmp_path: Path) -> None:
    wrapper(tmp_path / "root/.castoff/python/1.0", "chosen")
    named = wrapper(tmp_path / "named", "named")
    assert run([release / "bin/demo"], path, CASTOFF_PYTHON=str(named)).stderr == "named\n"
    assert run([release / "bin/python", "-V"], path).stderr == "chosen\n"
    assert run([release / "bin/demo"], path).stderr == "chosen\n"
    (tmp_path / "root/.castoff/python/1.0").unlink()
    assert run([release / "bin/demo"], path).stderr == ""


def test_an_interpreter_of_that_name_that_does_not_run_is_passed_over(
    release: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken" / f"python{MINOR}"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho no such version is set >&2\nexit 127\n")
    broken.chmod(0o755)
    (broken.parent / "python3").symlink_to(PYTHON)
    facts([release / "bin/demo"], f"{broken.parent}:/usr/bin:/bin")


def test_without_a_fitting_interpreter_one_line_says_so(release: Path, tmp_path: Path) -> None:
    old = tmp_path / "old/python3"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "readlink").symlink_to("/usr/bin/readlink")
    for variables in ({}, {"CASTOFF_PYTHON": str(tmp_path / "missing")}):
        done = run([release / "bin/demo"], f"{old.parent}:{tools}", **variables)
        assert done.returncode == 127
        assert done.stdout == ""
        assert done.stderr.startswith(f"demo: needs Python {MINOR}; there is no ")
        assert done.stderr.count("\n") == 1


def test_a_wrong_interpreter_is_refused_by_the_program_itself(tmp_path: Path, path: str) -> None:
    info = tmp_path / "lib/one-1.dist-info"
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text("[console_scripts]\none = one:run\n")
    one = Distribution(info, "one", "1", (), "", (), "", ())
    write_launchers(tmp_path, [one], Acceptable("3.99", exact=True, least="3.99"))
    done = run([PYTHON, tmp_path / "bin/one"], path)
    assert done.returncode == 127
    assert done.stderr.startswith("one: needs Python 3.99, and ")
    assert done.stderr.count("\n") == 1


def flagged(place: Path, flags: str) -> Path:
    """Write an interpreter whose ABI has some flags, which is what it prints first."""
    place.parent.mkdir(parents=True, exist_ok=True)
    flag = f"import sys; sys.abiflags = '{flags}'"
    place.write_text(
        "#!/bin/sh\n"
        f'if [ "$3" = -c ]; then exec {PYTHON} -c "{flag}\n$4"; fi\n'
        f'echo {flags or "none"} >&2\nexec {PYTHON} "$@"\n'
    )
    place.chmod(0o755)
    return place


@pytest.mark.parametrize(
    ("abi", "exact", "taken"),
    [(f"cp{MINOR}t", True, "t"), ("", True, "none"), ("abi3", False, "none")],
)
def test_an_interpreter_of_the_other_abi_is_passed_over(
    tmp_path: Path, abi: str, exact: bool, taken: str
) -> None:
    write_launchers(tmp_path, [], Acceptable(MINOR, exact=exact, least=MINOR, abi=abi))
    ordinary, free = tmp_path / "path", tmp_path / "free"
    flagged(ordinary / "python3", "")
    flagged(free / f"python{MINOR}", "t")
    flagged(free / f"python{MINOR}t", "t")
    done = run([tmp_path / "bin/python", "-V"], f"{free}:{ordinary}:/usr/bin:/bin")
    assert done.stderr == f"{taken}\n"


def test_a_program_says_which_abi_it_lacks(tmp_path: Path, path: str) -> None:
    info = tmp_path / "lib/one-1.dist-info"
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text("[console_scripts]\none = one:run\n")
    one = Distribution(info, "one", "1", (), "", (), "", ())
    write_launchers(tmp_path, [one], Acceptable(MINOR, exact=True, least=MINOR, abi="cp399t"))
    done = run([PYTHON, tmp_path / "bin/one"], path)
    assert (done.returncode, done.stderr.count("\n")) == (127, 1)
    assert done.stderr.startswith(f"one: needs Python {MINOR}t, and ")
    assert done.stderr.endswith(f" is {MINOR}\n")


def test_host_packages_cannot_be_imported(release: Path, path: str, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", venv], check=True)
    site = next(venv.glob("lib/*/site-packages"))
    (site / "markupsafe.py").write_text("raise SystemExit('the host has its own')\n")
    (site / "host_only.py").write_text("")
    (tmp_path / "more").mkdir()
    (site / "more.pth").write_text(f"{tmp_path}/more\n")
    told = facts([release / "bin/demo"], path, CASTOFF_PYTHON=str(venv / "bin/python"))
    assert not [p for p in told["path"] if p.startswith((str(site), str(tmp_path / "more")))]
    assert told["executable"] == str(venv / "bin/python")


HOOK = """\
import importlib.util
import sys


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "of_the_host":
            return importlib.util.spec_from_file_location(name, __file__)


sys.meta_path.append(Finder)
"""


@pytest.mark.parametrize("by_launcher", [True, False])
def test_what_the_host_hooks_into_the_start_of_python_does_not_run(
    release: Path, path: str, tmp_path: Path, by_launcher: bool
) -> None:
    # As an editable install or a tracer on the host does.
    venv = tmp_path / "venv"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", venv], check=True)
    site = next(venv.glob("lib/*/site-packages"))
    (site / "hook.py").write_text(HOOK)
    (site / "hook.pth").write_text("import hook\n")
    (site / "sitecustomize.py").write_text("import hook\n")
    (release / "project/demo/main.py").chmod(0o644)
    (release / "project/demo/main.py").write_text(
        "import importlib.util, sys\n\ndef run():\n"
        "    assert 'hook' not in sys.modules\n"
        "    assert importlib.util.find_spec('of_the_host') is None\n"
        "    exit('no package of the host')\n"
    )
    shutil.rmtree(release / "project/demo/__pycache__")
    launcher = release / "bin/demo"
    argv: list[str | Path] = [launcher] if by_launcher else [venv / "bin/python", launcher]
    done = run(argv, path, CASTOFF_PYTHON=str(venv / "bin/python"))
    assert done.stderr == "no package of the host\n"


def test_a_sitecustomize_of_the_release_or_of_pythonpath_runs_with_the_releases_modules(
    release: Path, path: str, tmp_path: Path
) -> None:
    (tmp_path / "tracer").mkdir()
    (tmp_path / "tracer/sitecustomize.py").write_text(
        "import sys, demo\nprint(demo.__file__, file=sys.stderr)\n"
    )
    done = run([release / "bin/demo"], path, PYTHONPATH=str(tmp_path / "tracer"))
    assert done.returncode == 0
    assert done.stderr == f"{release}/project/demo/__init__.py\n"


def test_pth_files_of_the_release_count(release: Path, path: str) -> None:
    (release / "lib/extra.pth").write_text("more\n")
    (release / "lib/more").mkdir()
    (release / "project/own.pth").write_text("own\n")
    (release / "project/own").mkdir()
    told = facts([release / "bin/demo"], path)
    assert told["path"][:5] == [
        str(release / "project"),
        str(release / "project/own"),
        str(release / "lib"),
        str(release / "lib/more"),
        str(release / "app"),
    ]


def test_no_path_of_the_machine_that_built_is_in_any_file(
    release: Path, tarball: BuildResult
) -> None:
    for file in release.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert b"castoff-build-" not in content, file
            assert sys.prefix.encode() not in content, file
    assert set(tarball.manifest.entry_points) == {"demo"}


@pytest.mark.skipif(shutil.which("busybox") is None, reason="needs busybox")
def test_busybox_understands_it(release: Path, path: str) -> None:
    told = facts(["busybox", "sh", release / "bin/demo"], path)
    assert told["demo"] == str(release / "project/demo/__init__.py")


@pytest.mark.parametrize(
    ("reference", "parsed"),
    [
        ("a.b:c", ("a.b", ("c",))),
        (" a : B.main [extra] ", ("a", ("B", "main"))),
        ("a.b", None),
        ("a:b()", None),
        ("a;import os:b", None),
        ("", None),
    ],
)
def test_object_references_are_read_strictly(
    reference: str, parsed: tuple[str, tuple[str, ...]] | None
) -> None:
    assert parse_reference(reference) == parsed


def test_two_scripts_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "lib/bin").mkdir(parents=True)
    (tmp_path / "lib/bin/python").write_text("#!/bin/sh\n")
    with pytest.raises(BuildError, match="two scripts are named 'python'"):
        write_launchers(tmp_path, [], Acceptable("3.11", exact=True, least="3.11"))
