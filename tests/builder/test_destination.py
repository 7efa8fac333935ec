"""What a release is built for: this machine, or what castoff.toml declares."""

from __future__ import annotations

import os
import platform
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castoff.builder.destination import Destination, Platform, check_reached, find_destination
from castoff.builder.environment import tool_environment
from castoff.builder.errors import BuildError
from castoff.builder.interpreter import Interpreter, find_interpreter
from castoff.builder.target import NOTHING, detect
from castoff.builder.tree import walk
from castoff.config.model import BuildTarget
from castoff.store.manifest import Target
from support.builds import Repository, lock

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
ARM = Platform("3.12", "aarch64", (2, 31), None)


def find(folder: Path, target: BuildTarget | None, python: str | None = None) -> Destination:
    work = folder / "work"
    work.mkdir()
    env = tool_environment(os.environ, work=work, time=0)
    return find_destination(target, python, cwd=folder, env=env)


def test_without_a_target_it_is_this_machine(tmp_path: Path) -> None:
    found = find(tmp_path, None)
    assert found.platform is None
    assert (found.compiles, found.here) == (True, True)
    assert found.interpreter == found.runner
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    assert found.runner.free_threaded == free_threaded
    assert found.musl == (platform.libc_ver()[0] != "glibc")


def test_what_the_target_does_not_say_is_as_here(tmp_path: Path) -> None:
    found = find(tmp_path, BuildTarget())
    assert found.platform == Platform(HERE, platform.machine(), (2, 28), None)
    assert found.here


def test_markers_are_those_of_the_target(tmp_path: Path) -> None:
    other = "aarch64" if platform.machine() == "x86_64" else "x86_64"
    target = BuildTarget.model_validate({"python": "3.99.4", "machine": other, "musl": "1.2"})
    found = find(tmp_path, target)
    assert found.interpreter.version == "3.99"
    assert found.interpreter.full_version == "3.99.4"
    assert found.interpreter.machine == other
    assert (found.compiles, found.here, found.musl) == (False, False, True)
    assert found.runner.version == HERE
    assert found.key() != replace(found, platform=None).key()


@pytest.mark.parametrize(
    ("glibc", "name"),
    [((2, 17), "2_17"), ((2, 27), "2_17"), ((2, 30), "2_28"), ((2, 35), "2_35"), ((2, 99), "2_40")],
)
def test_uv_is_asked_for_the_nearest_older_glibc(glibc: tuple[int, int], name: str) -> None:
    assert replace(ARM, glibc=glibc).name == f"aarch64-manylinux_{name}"


def test_what_is_kept_is_for_one_platform_and_one_kind_of_python(tmp_path: Path) -> None:
    found = find(tmp_path, BuildTarget())
    own = found.platform
    assert own is not None
    platforms = [replace(own, glibc=(2, minor)) for minor in (28, 29)]
    platforms += [replace(own, glibc=None, musl=(1, minor)) for minor in (1, 2)]
    platforms += [replace(own, python=f"{HERE}.{patch}") for patch in (1, 2)]
    keys = [replace(found, platform=one).key() for one in platforms]
    other = replace(found.interpreter, free_threaded=not found.interpreter.free_threaded)
    keys.append(replace(found, interpreter=other).key())
    assert len({str(key) for key in keys}) == len(keys)


def test_tags_begin_with_the_best() -> None:
    assert ARM.tags[0] == "manylinux_2_31_aarch64"
    assert ARM.tags[-2:] == ("manylinux_2_17_aarch64", "manylinux2014_aarch64")
    intel = Platform("3.12", "x86_64", (2, 17), None)
    assert intel.tags[-3:] == ("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64")
    musl = Platform("3.12", "x86_64", None, (1, 2))
    assert musl.tags == tuple(f"musllinux_1_{n}_x86_64" for n in (2, 1, 0))
    assert musl.name == "x86_64-unknown-linux-musl"
    assert str(musl) == "Python 3.12 on x86_64 with musl 1.2"


@pytest.mark.parametrize(
    ("needs", "said"),
    [({"glibc": "2.32"}, "glibc 2.32"), ({"musl": "1.1"}, "musl 1.1"), ({"glibc": "2.31"}, "")],
)
def test_a_release_that_needs_more_than_was_declared_is_refused(
    needs: dict[str, str], said: str
) -> None:
    target: Target = NOTHING.model_copy(update=needs)
    check_reached(target, None)
    if not said:
        check_reached(target, ARM)
        return
    with pytest.raises(BuildError, match=f"needs {said}, and was to be for Python 3.12 on aarch64"):
        check_reached(target, ARM)


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all interpreters say that they have no global lock."""

    def found(*words: Any, **more: Any) -> Interpreter:
        return replace(find_interpreter(*words, **more), free_threaded=True)

    monkeypatch.setattr("castoff.builder.destination.find_interpreter", found)


@pytest.mark.usefixtures("free")
def test_a_free_threaded_target_has_tags_of_its_own(tmp_path: Path) -> None:
    found = find(tmp_path, BuildTarget(python="3.13t"))
    own = found.platform
    assert own is not None
    assert (own.python, own.abis) == ("3.13", ("cp313t", "none"))
    assert replace(own, free_threaded=False).abis == ("cp313", "abi3", "none")
    assert str(own).startswith("Python 3.13t on ")
    assert (found.interpreter.version, found.interpreter.free_threaded) == ("3.13", True)


@pytest.mark.usefixtures("free")
def test_without_a_version_a_target_is_of_the_kind_of_what_it_is_built_with(tmp_path: Path) -> None:
    own = find(tmp_path, BuildTarget()).platform
    assert own is not None
    assert (own.python, own.free_threaded) == (HERE, True)


@pytest.mark.usefixtures("free")
def test_a_free_threaded_python_chooses_no_wheels_for_an_ordinary_one(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"^Python 3\.99 on .* by a Python with a global lock"):
        find(tmp_path, BuildTarget(python="3.99"))


def test_an_ordinary_python_chooses_no_wheels_for_a_free_threaded_one(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"^Python 3\.99t on .* by a free-threaded") as caught:
        find(tmp_path, BuildTarget(python="3.99t"))
    assert "Install Python 3.99t here (uv python install 3.99t)" in caught.value.hint


def test_files_that_are_linked_with_musl_need_it(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/fast.so").write_bytes(b"\x7fELF\0libc.musl-x86_64.so.1\0")
    interpreter = find(tmp_path, None).interpreter
    (tmp_path / "work").rename(tmp_path / "lib/work")
    found = detect(walk(tmp_path), [], interpreter=interpreter, requires_python="", musl=True)
    assert (found.glibc, found.musl) == ("", "1.2")


def test_byte_code_is_written_by_an_interpreter_of_the_target(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"requirements.txt": lock("itsdangerous==2.2.0")})
    target = BuildTarget(python=HERE)
    native = repository.build(tmp_path / "native", version="1")
    declared = repository.build(tmp_path / "declared", version="1", target=target)
    # The same wheel, the same byte code: nothing but what was asked for differs.
    assert declared.manifest.tree_sha256 == native.manifest.tree_sha256


def test_extensions_of_the_projects_own_are_not_compiled_for_elsewhere(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit(
        {
            "pyproject.toml": '[build-system]\nrequires = ["setuptools>=77"]\n'
            'build-backend = "setuptools.build_meta"\n[project]\nname = "quick"\nversion = "1"\n',
            "setup.py": "from setuptools import Extension, setup\n"
            'setup(ext_modules=[Extension("quick", ["quick.c"])])\n',
            "quick.c": "int PyInit_quick(void) { return 0; }\n",
        }
    )
    other = "aarch64" if platform.machine() == "x86_64" else "x86_64"
    target = BuildTarget.model_validate({"machine": other})
    with pytest.raises(BuildError, match=f"cannot be built here for .* on {other}"):
        repository.build(tmp_path / "out", target=target)
    assert not (tmp_path / "out").exists()
