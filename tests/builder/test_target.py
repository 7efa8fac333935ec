from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from castoff.builder.distributions import Distribution
from castoff.builder.errors import SourceError
from castoff.builder.interpreter import Interpreter
from castoff.builder.target import acceptable, detect
from castoff.builder.tree import walk

PYTHON = Interpreter(
    Path(sys.executable),
    {"python_version": "3.11", "python_full_version": "3.11.7", "platform_machine": "x86_64"},
)


def wheel(*tags: str, name: str = "one", files: tuple[str, ...] = ()) -> Distribution:
    return Distribution(Path(f"{name}.dist-info"), name, "1", (), "", tags, "", files)


@pytest.mark.parametrize(
    ("wheels", "exact", "machine", "glibc", "least"),
    [
        ([wheel("py3-none-any")], False, "", "", "3.9"),
        ([wheel("py2-none-any", "py3-none-any")], False, "", "", "3.9"),
        (
            [
                wheel(
                    "cp311-cp311-manylinux_2_17_x86_64",
                    "cp311-cp311-manylinux2014_x86_64",
                    "cp311-cp311-manylinux_2_28_x86_64",
                )
            ],
            True,
            "x86_64",
            "2.17",
            "3.11",
        ),
        ([wheel("cp39-abi3-manylinux_2_28_x86_64")], False, "x86_64", "2.28", "3.9"),
        ([wheel("cp310-abi3-manylinux1_x86_64")], False, "x86_64", "2.5", "3.10"),
        ([wheel("py3-none-manylinux2010_x86_64")], False, "x86_64", "2.12", "3.9"),
        ([wheel("cp311-cp311-musllinux_1_2_x86_64")], True, "x86_64", "", "3.11"),
        ([wheel("pp310-pypy310_pp73-manylinux2014_x86_64")], True, "x86_64", "2.17", "3.9"),
        (
            [wheel("cp39-abi3-manylinux_2_9_x86_64"), wheel("cp39-abi3-manylinux_2_34_x86_64")],
            False,
            "x86_64",
            "2.34",
            "3.9",
        ),
    ],
)
def test_tags_say_what_a_host_must_offer(
    tmp_path: Path,
    wheels: list[Distribution],
    exact: bool,
    machine: str,
    glibc: str,
    least: str,
) -> None:
    target = detect(walk(tmp_path), wheels, interpreter=PYTHON, requires_python=">=3.9")
    assert (target.python, target.exact_python) == ("3.11", exact)
    assert (target.machine, target.glibc) == (machine, glibc)
    allowed = acceptable(tmp_path, wheels, interpreter=PYTHON, requires_python=">=3.9")
    assert (allowed.exact, allowed.least) == (exact, least)


def test_compiled_files_that_no_tag_speaks_for_are_read(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    elf = b"\x7fELF" + b"\0GLIBC_2.4\0GLIBC_2.31\0GLIBC_2.9\0"
    (tmp_path / "lib/built.so").write_bytes(elf)
    (tmp_path / "lib/known.so").write_bytes(elf.replace(b"2.31", b"2.99"))
    (tmp_path / "lib/text.so.txt").write_bytes(b"GLIBC_2.98")
    wheels = [
        wheel("cp39-abi3-linux_x86_64", files=("built.so",)),
        wheel("cp39-abi3-manylinux2014_x86_64", name="known", files=("known.so",)),
    ]
    target = detect(walk(tmp_path), wheels, interpreter=PYTHON, requires_python="")
    assert (target.machine, target.glibc, target.exact_python) == ("x86_64", "2.31", False)


def test_an_extension_of_one_python_among_the_apps_files_binds_to_it(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/fast.cpython-311-x86_64-linux-gnu.so").write_bytes(b"\x7fELF")
    target = detect(walk(tmp_path), [], interpreter=PYTHON, requires_python="")
    assert (target.exact_python, target.machine, target.glibc) == (True, "x86_64", "")
    assert acceptable(tmp_path, [], interpreter=PYTHON, requires_python="").exact


@pytest.mark.parametrize(
    ("tag", "file", "free", "abi", "words"),
    [
        ("py3-none-any", "", True, "", "3.11 or later"),
        ("cp311-cp311-manylinux_2_28_x86_64", "", False, "", "3.11"),
        ("cp313-cp313t-manylinux_2_28_x86_64", "", True, "cp311t", "3.11t"),
        ("", "fast.cpython-313t-x86_64-linux-gnu.so", True, "cp311t", "3.11t"),
        ("cp39-abi3-manylinux_2_28_x86_64", "", False, "abi3", "3.11 or later with a global lock"),
        ("", "fast.abi3.so", False, "abi3", "3.11 or later with a global lock"),
        ("py3-none-manylinux_2_28_x86_64", "", True, "", "3.11 or later"),
    ],
)
def test_extensions_say_whether_there_is_to_be_a_global_lock(
    tmp_path: Path, tag: str, file: str, free: bool, abi: str, words: str
) -> None:
    python = replace(PYTHON, free_threaded=free)
    wheels = [wheel(tag)] if tag else []
    (tmp_path / "app").mkdir()
    if file:
        (tmp_path / "app" / file).write_bytes(b"\x7fELF")
    assert detect(walk(tmp_path), wheels, interpreter=python, requires_python="").abi == abi
    allowed = acceptable(tmp_path, wheels, interpreter=python, requires_python="")
    assert (allowed.abi, allowed.words) == (abi, words)


@pytest.mark.parametrize(
    ("constraint", "least"),
    [("", "3.11"), (">=3.8", "3.8"), (">3.9.2,<4", "3.9"), ("~=3.10", "3.10"), ("!=3.0.*", "3.1")],
)
def test_the_least_python_is_the_constraints(tmp_path: Path, constraint: str, least: str) -> None:
    assert acceptable(tmp_path, [], interpreter=PYTHON, requires_python=constraint).least == least


def test_a_constraint_that_forbids_the_build_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        acceptable(tmp_path, [], interpreter=PYTHON, requires_python=">=3.12")
