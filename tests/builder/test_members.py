"""Members that processes compress: the same bytes as from threads, whatever befalls a process."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import BinaryIO

import pytest

from castoff.builder import members, tarball
from castoff.builder.cache import Cache
from castoff.builder.errors import BuildError
from castoff.builder.runs import RUN, SLICE, Run
from castoff.builder.tarball import write_tarball
from castoff.builder.tree import Tree
from support.any_tree import make

KEEPS_NOTHING = Cache(None)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A tree with small files, one that fills a run, and one of several slices."""
    rows = [(["a"], 100, False), (["b"], RUN, True), (["c"], 3 * SLICE + 5, False)]
    rows += [([str(number)], 6_000, False) for number in range(60)]
    (tmp_path / "top").mkdir()
    return make(tmp_path / "top", rows)


@pytest.fixture
def always_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tarball, "_MANY", 0)


@pytest.mark.usefixtures("always_processes")
def test_processes_write_what_threads_write(tree: Tree, tmp_path: Path) -> None:
    alone, cold, warm, more = (tmp_path / name for name in ("alone", "cold", "warm", "more"))
    cache = tmp_path / "cache"
    wanted = write_tarball(tree, alone, workers=1, cache=KEEPS_NOTHING)
    assert write_tarball(tree, cold, workers=2, cache=Cache(cache)) == wanted
    written = {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()}
    assert len(written) == len(json.loads(wanted.document)["members"])
    # What is not read cannot have been compressed again: one of the files is gone.
    (tree.top / "0" / "a").rename(tmp_path / "gone")
    assert write_tarball(tree, warm, workers=3, cache=Cache(cache)) == wanted
    (tmp_path / "gone").rename(tree.top / "0" / "a")
    assert write_tarball(tree, more, workers=40, cache=KEEPS_NOTHING) == wanted
    assert len({path.read_bytes() for path in (alone, cold, warm, more)}) == 1


@pytest.mark.usefixtures("always_processes")
@pytest.mark.parametrize("name", ["1/b", "2/c"], ids=["in a run", "in slices"])
def test_a_process_that_finds_a_changed_file_lets_it_be_told(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    children: list[int] = []
    fork = os.fork

    def counted() -> int:
        children.append(fork())
        return children[-1]

    monkeypatch.setattr(os, "fork", counted)
    (tree.top / name).write_bytes(b"other")
    with pytest.raises(BuildError, match=f"'{name}' changed while it was packed"):
        write_tarball(tree, tmp_path / "a.tar.gz", workers=2, cache=KEEPS_NOTHING)
    assert len(children) == 2
    for child in children:
        with pytest.raises(ChildProcessError):
            os.waitpid(child, os.WNOHANG)


@pytest.mark.usefixtures("always_processes")
@pytest.mark.parametrize("after", [0, 1, 5])
def test_what_a_killed_process_leaves_is_done_without_it(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    wanted = write_tarball(tree, tmp_path / "wanted", workers=1, cache=KEEPS_NOTHING)
    send, sent = members._send, 0

    def dies(pipe: BinaryIO, run: Run, cache: Cache) -> None:
        nonlocal sent
        if sent == after:
            pipe.write(b"half")
            pipe.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        sent += 1
        send(pipe, run, cache)

    monkeypatch.setattr(members, "_send", dies)
    assert write_tarball(tree, tmp_path / "made", workers=2, cache=KEEPS_NOTHING) == wanted
    assert (tmp_path / "made").read_bytes() == (tmp_path / "wanted").read_bytes()
