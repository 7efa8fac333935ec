from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from castoff.builder.bytecode import Compiler, compile_tree
from castoff.builder.cache import Cache
from castoff.builder.environment import tool_environment
from castoff.builder.errors import BuildError
from castoff.builder.interpreter import Interpreter, find_interpreter

# Names and constants that several modules share, and sets, whose order depends on the hash seed.
MODULE = """
import os
WORDS = frozenset({{"alpha", "beta", "gamma", "delta", "{name}"}})
def f(x):
    return x in {{"alpha", "beta", "shared_name", "{name}"}} and os.environ["alpha"]
class C:
    shared_name = beta = "shared_name"
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    work = tmp_path / "work"
    work.mkdir()
    return tool_environment(os.environ, work=work, time=0)


@pytest.fixture
def interpreter(env: dict[str, str], tmp_path: Path) -> Interpreter:
    return find_interpreter(None, cwd=tmp_path, env=env)


def make(tree: Path, packages: list[str]) -> None:
    for package in packages:
        (tree / "lib" / package / "sub").mkdir(parents=True)
        for name in ("__init__", "one", "two", "sub/__init__", "sub/three"):
            (tree / f"lib/{package}/{name}.py").write_text(MODULE.format(name=name))


def compile_in(
    tree: Path,
    env: dict[str, str],
    interpreter: Interpreter,
    *,
    workers: int = 1,
    cache: Cache | None = None,
) -> None:
    compiler = Compiler(
        tree, interpreter=interpreter, env=env, workers=workers, cache=cache or Cache(None)
    )
    compile_tree(tree, "lib", compiler)


def compiled(tree: Path) -> dict[str, bytes]:
    return {str(p.relative_to(tree)): p.read_bytes() for p in tree.rglob("*.pyc")}


def test_neither_place_nor_number_of_processes_changes_it(
    tmp_path: Path, env: dict[str, str], interpreter: Interpreter
) -> None:
    results = []
    for number, workers in enumerate((1, 2, 5)):
        tree = tmp_path / ("deeper/" * number) / "tree"
        make(tree, ["a", "b", "c"])
        compiler = Compiler(
            tree, interpreter=interpreter, env=env, workers=workers, cache=Cache(None)
        )
        compile_tree(tree, "lib", compiler)
        results.append(compiled(tree))
    assert len(results[0]) == 15
    assert results[0] == results[1] == results[2]


def test_a_package_keeps_its_byte_code_when_another_one_comes(
    tmp_path: Path, env: dict[str, str], interpreter: Interpreter
) -> None:
    make(tmp_path / "before", ["m"])
    make(tmp_path / "after", ["a", "m", "z"])
    for name in ("before", "after"):
        compile_in(tmp_path / name, env, interpreter)
    assert compiled(tmp_path / "before").items() <= compiled(tmp_path / "after").items()


def test_what_is_no_python_is_left_alone(
    tmp_path: Path, env: dict[str, str], interpreter: Interpreter
) -> None:
    (tmp_path / "tree/lib").mkdir(parents=True)
    (tmp_path / "tree/lib/template.py").write_text("class {{ name }}:\n")
    (tmp_path / "tree/lib/nul.py").write_bytes(b"x = 1\0")
    (tmp_path / "tree/lib/latin.py").write_bytes(b"x = '\xe9'\n")
    (tmp_path / "tree/lib/warns.py").write_text("'\\d'\n")
    (tmp_path / "tree/lib/json.py").write_text("raise SystemExit('not the one to import')\n")
    compile_in(tmp_path / "tree", env, interpreter)
    stems = {name.split("/")[-1].split(".")[0] for name in compiled(tmp_path / "tree")}
    assert stems == {"warns", "json"}


def test_a_traceback_names_the_file_where_it_lies(
    tmp_path: Path, env: dict[str, str], interpreter: Interpreter
) -> None:
    (tmp_path / "tree/lib").mkdir(parents=True)
    (tmp_path / "tree/lib/fails.py").write_text("def f():\n    raise ValueError\n")
    compile_in(tmp_path / "tree", env, interpreter)
    (tmp_path / "tree").rename(tmp_path / "moved")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'moved/lib')!r}); import fails; fails.f()"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
    )
    assert f'File "{tmp_path}/moved/lib/fails.py", line 2' in done.stderr
    assert "raise ValueError" in done.stderr


def test_a_cache_changes_nothing_and_saves_the_work(
    tmp_path: Path, env: dict[str, str], interpreter: Interpreter
) -> None:
    results = []
    cache = Cache(tmp_path / "cache")
    for name, kept in (("without", Cache(None)), ("cold", cache), ("warm", cache)):
        tree = tmp_path / name
        make(tree, ["a", "b"])
        (tree / "lib" / "a" / "broken.py").write_text("{% if %}")
        (tree / "lib" / "single.py").write_text("x = 1\n")
        runner = interpreter
        if name == "warm":
            # Nothing is left to be compiled: an interpreter that cannot run is not missed.
            runner = Interpreter(Path("/nonexistent/python"), interpreter.markers)
        compiler = Compiler(tree, interpreter=runner, env=env, workers=2, cache=kept)
        compile_tree(tree, "lib", compiler)
        results.append(compiled(tree))
    assert len(results[0]) == 11
    assert results[0] == results[1] == results[2]


def test_a_change_compiles_its_own_package_alone(
    tmp_path: Path, env: dict[str, str], interpreter: Interpreter
) -> None:
    cache = Cache(tmp_path / "cache")
    for name in ("before", "after", "again"):
        tree = tmp_path / name
        make(tree, ["a", "b"])
        if name != "before":
            (tree / "lib" / "b" / "one.py").write_text("changed = True\n")
        kept = Cache(None) if name == "again" else cache
        compile_in(tree, env, interpreter, workers=2, cache=kept)
    assert compiled(tmp_path / "after") == compiled(tmp_path / "again")
    assert len(list((tmp_path / "cache" / "bytecode").glob("*/*"))) == 3


def test_an_interpreter_that_fails_is_an_error_with_its_words(
    tmp_path: Path, env: dict[str, str], interpreter: Interpreter
) -> None:
    make(tmp_path / "tree", [f"package{number}" for number in range(30)])
    failing = tmp_path / "python"
    failing.write_text("#!/bin/sh\necho 'no memory left' >&2\nexit 3\n")
    failing.chmod(0o755)
    for path, said in (
        (failing, r"compile byte code .*: python failed with exit status 3\n *no memory left"),
        (tmp_path / "missing", "compile byte code .*: No such file"),
    ):
        with pytest.raises(BuildError, match=said):
            compile_in(tmp_path / "tree", env, Interpreter(path, interpreter.markers))
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("tmp")] == []
