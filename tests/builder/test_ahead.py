"""Byte code of what uv has unpacked and not yet installed: the same bytes, or it does not count."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from castoff.builder import ahead
from castoff.builder.ahead import Ahead
from castoff.builder.bytecode import ByteCode, Compiler, Identity, identity
from castoff.builder.cache import Cache
from castoff.builder.environment import tool_environment
from castoff.builder.errors import BuildError
from castoff.builder.interpreter import find_interpreter
from castoff.store.digest import sha256
from support.builds import Repository
from support.local_index import local_index, wheel

FILES = {
    "pkg/__init__.py": "import os\nWORDS = {'a', 'b', 'c'}\n",
    "pkg/sub/one.py": "def f(x):\n    return x in ('a', 'b', 'c')\n",
    "pkg/template.py": "{% if x %}\n",
}
MOVED = {
    "pkg-1.0.dist-info/RECORD": "",
    "pkg-1.0.data/purelib/other/__init__.py": "x = 1\n",
    "bin/tool.py": "y = 2\n",
    "pkg/__pycache__/old.py": "z = 3\n",
}


@pytest.fixture
def compiler(tmp_path: Path) -> Iterator[Compiler]:
    (tmp_path / "work").mkdir()
    (tmp_path / "tree" / "lib").mkdir(parents=True)
    env = tool_environment(os.environ, work=tmp_path / "work", time=0)
    python = find_interpreter(None, cwd=tmp_path, env=env)
    tree, kept = tmp_path / "tree", Cache(tmp_path / "cache")
    with Compiler(tree, interpreter=python, env=env, workers=2, cache=kept) as made:
        yield made


@pytest.fixture(autouse=True)
def everything_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "_LEAST", 1)


def unpack(archives: Path, name: str) -> Path:
    """Unpack a wheel as uv does: somewhere else, and then by its name."""
    passing = archives.parent / f"passing-{name}"
    for path, text in {**FILES, **MOVED}.items():
        (passing / path).parent.mkdir(parents=True, exist_ok=True)
        (passing / path).write_text(text)
    archives.mkdir(exist_ok=True)
    return passing.rename(archives / name)


def install(folder: Path, tree: Path) -> tuple[list[str], list[str], Identity]:
    """Link what was unpacked into the tree; return what `Compiler.add` takes."""
    names = sorted((f"lib/{name}" for name in FILES), key=lambda name: name.split("/"))
    for name in names:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).hardlink_to(folder / name.removeprefix("lib/"))
    return told(tree, names)


def told(tree: Path, names: list[str]) -> tuple[list[str], list[str], Identity]:
    digests = [sha256((tree / name).read_bytes()) for name in names]
    return names, digests, identity((tree / name).lstat() for name in names)


def finish(compiler: Compiler) -> ByteCode:
    found: ByteCode = {}
    for made in compiler.finish():
        assert not found.keys() & made.keys(), "it was compiled twice"
        found |= made
    return found


def begun(compiler: Compiler, count: int) -> None:
    until(lambda: len(compiler._begun) >= count)


def wanted(compiler: Compiler, tree: Path, names: list[str]) -> ByteCode:
    """Return what is compiled in the tree alone."""
    assert compiler.add(*told(tree, names)[:2]) is None
    return finish(compiler)


def test_what_was_unpacked_is_compiled_once(compiler: Compiler, tmp_path: Path) -> None:
    uv, tree = tmp_path / "uv", tmp_path / "tree"
    uv.mkdir()
    unpack(uv / "archive-v0", "before")
    with Ahead(compiler, uv, "lib"):
        folder = unpack(uv / "archive-v0", "one")
        begun(compiler, 1)
    names, digests, found = install(folder, tree)
    assert list(compiler._begun) == [tuple(names)], "nor what was there, nor what is moved"
    assert compiler.add(names, digests, found) is None
    made = finish(compiler)
    assert len(made) == 2
    # Later builds find it as if it had been compiled in its place.
    assert compiler.add(names, digests) == made


def test_it_is_what_is_compiled_in_its_place(compiler: Compiler, tmp_path: Path) -> None:
    uv, tree = tmp_path / "uv", tmp_path / "tree"
    uv.mkdir()
    with Ahead(compiler, uv, "lib"):
        folder = unpack(uv / "archive-v0", "one")
        begun(compiler, 1)
    names, digests, found = install(folder, tree)
    assert compiler.add(names, digests, found) is None
    python, env = compiler._interpreter, compiler._env
    with Compiler(tree, interpreter=python, env=env, workers=1, cache=Cache(None)) as alone:
        assert finish(compiler) == wanted(alone, tree, names)


@pytest.mark.parametrize("what", ["content", "names"])
def test_what_is_not_the_same_in_the_tree_does_not_count(
    compiler: Compiler, tmp_path: Path, what: str
) -> None:
    uv, tree = tmp_path / "uv", tmp_path / "tree"
    uv.mkdir()
    with Ahead(compiler, uv, "lib"):
        folder = unpack(uv / "archive-v0", "one")
        begun(compiler, 1)
    names, _, _ = install(folder, tree)
    if what == "content":
        (tree / names[0]).unlink()
        (tree / names[0]).write_text("changed = True\n")
    else:
        (tree / "lib/pkg/more.py").write_text("more = True\n")
        names.insert(1, "lib/pkg/more.py")
    names, digests, found = told(tree, names)
    assert compiler.add(names, digests, found) is None
    python, env = compiler._interpreter, compiler._env
    with Compiler(tree, interpreter=python, env=env, workers=1, cache=Cache(None)) as alone:
        assert finish(compiler) == wanted(alone, tree, names)


def test_what_has_gone_from_the_cache_is_compiled_in_the_tree(
    compiler: Compiler, tmp_path: Path
) -> None:
    uv, tree = tmp_path / "uv", tmp_path / "tree"
    uv.mkdir()
    folder = unpack(uv / "archive-v0", "one")
    names, digests, found = install(folder, tree)
    # As another program may that tidies the cache.
    shutil.rmtree(folder)
    compiler.begin(names, found, folder=str(folder), under="lib")
    assert compiler.add(names, digests, found) is None
    made = finish(compiler)
    assert len(made) == 2
    assert compiler.add(names, digests) == made


def test_what_another_build_has_unpacked_is_not_waited_for(
    compiler: Compiler, tmp_path: Path
) -> None:
    compiler._workers = 1
    for name in ("one", "two"):
        os.mkfifo(tmp_path / f"{name}.py")
        compiler.begin([f"lib/{name}.py"], (), folder=str(tmp_path), under="lib")
    # The first has begun when its source is read.
    writing = opened(tmp_path / "one.py")
    with ThreadPoolExecutor(1) as beside:
        made = beside.submit(finish, compiler)
        try:
            try:
                until(lambda: not (compiler._folder / "1").exists())
            finally:
                os.close(writing)
            assert made.result(timeout=60) == {}
        finally:
            # The second would wait for somebody to write, now or when its turn comes.
            waited_for = (tmp_path / "two.py").rename(tmp_path / "pipe")
            (tmp_path / "two.py").touch()
            os.close(os.open(waited_for, os.O_RDWR))


def opened(pipe: Path) -> int:
    """Open a pipe for writing when somebody reads from it."""
    found: list[int] = []

    def attempt() -> bool:
        with suppress(OSError):
            found.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        return bool(found)

    until(attempt)
    return found[0]


def until(done: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not done():
        assert time.monotonic() < limit
        time.sleep(0.01)


def test_an_interpreter_that_does_not_start_is_told_where_it_is_needed(
    compiler: Compiler, tmp_path: Path
) -> None:
    uv, tree = tmp_path / "uv", tmp_path / "tree"
    uv.mkdir()
    compiler._interpreter = replace(compiler._interpreter, path=tmp_path / "none")
    with Ahead(compiler, uv, "lib") as watching:
        folder = unpack(uv / "archive-v0", "one")
        until(lambda: str(folder) in watching._seen)
    with pytest.raises(BuildError, match="could not compile byte code"):
        compiler.add(*install(folder, tree))


def test_a_build_takes_it(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave, add = Ahead.__exit__, Compiler.add
    taken: list[str] = []

    def patient(
        self: Ahead,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        begun(self._compiler, 1)
        leave(self, kind, error, trace)

    def noted(
        self: Compiler, names: list[str], digests: list[str], found: Identity | None = None
    ) -> ByteCode | None:
        if found is not None and self._begun.get(tuple(names), (0, ()))[1] == found:
            taken.append(names[0])
        return add(self, names, digests, found)

    made = wheel("pkg", "1.0", dict(FILES))
    with local_index(made) as index:
        repository.commit({"app.py": "x = 1\n", "requirements.txt": index.requirement(made[0])})
        environment = index.environment(tmp_path)
        asked: dict[str, Any] = {"version": "1", "environment": environment, "workers": 2}
        with monkeypatch.context() as nothing_counts:
            # All would be compiled once more in the tree.
            nothing_counts.delattr("castoff.builder.finished.Ahead")
            without = repository.build(tmp_path / "without", **asked)
        monkeypatch.setattr(Ahead, "__exit__", patient)
        monkeypatch.setattr(Compiler, "add", noted)
        cold = repository.build(tmp_path / "cold", **asked, cache=tmp_path / "cache")
    assert taken == ["lib/pkg/__init__.py"]
    assert cold.archive.read_bytes() == without.archive.read_bytes()
    assert cold.table.read_bytes() == without.table.read_bytes()
