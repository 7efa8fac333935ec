from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings

from castoff.builder import runs
from castoff.builder.cache import Cache
from castoff.builder.errors import BuildError
from castoff.builder.members import compress_members
from castoff.builder.packed import Packed
from castoff.builder.rows import TreeFile
from castoff.builder.runs import RUN, SLICE, TIME, Run, _header
from castoff.builder.tarball import write_tarball
from castoff.builder.tree import Tree, walk
from castoff.store.digest import sha256, tree_digest
from castoff.store.filetable import FileTable, Link, parse
from support.any_tree import TREES, Rows, content, make

KEEPS_NOTHING = Cache(None)


def pack(tree: Tree, target: Path, *, workers: int, cache: Cache) -> FileTable:
    """Write a tarball; return its table, and see that all else that is told of it is true."""
    packed = write_tarball(tree, target, workers=workers, cache=cache)
    table = parse(packed.document, expected_sha256=sha256(packed.document))
    assert packed == Packed.of(table, target)
    return table


def read_by_table(archive: bytes, table: FileTable) -> dict[str, bytes]:
    """Read every file from its members alone, each member by itself."""
    raw = []
    for member in table.members:
        piece = archive[member.offset : member.offset + member.length]
        assert hashlib.sha256(piece).hexdigest() == member.sha256
        assert member.codec == "gzip"
        raw.append(zlib.decompress(piece, 31))
        assert len(raw[-1]) == member.raw_length
    found = {}
    for file in table.files:
        data, member_index, start = b"", file.member, file.start
        while len(data) < file.size:
            data += raw[member_index][start : start + file.size - len(data)]
            member_index, start = member_index + 1, 0
        assert hashlib.sha256(data).hexdigest() == file.sha256
        found[file.path] = data
    return found


@settings(max_examples=40)
@given(TREES)
def test_any_tree_comes_back_by_table_and_by_tar(rows: Rows) -> None:
    with tempfile.TemporaryDirectory() as folder:
        top, archive, copy = Path(folder, "top"), Path(folder, "a.tar.gz"), Path(folder, "copy")
        top.mkdir()
        copy.mkdir()
        tree = make(top, rows)
        table = pack(tree, archive, workers=2, cache=KEEPS_NOTHING)

        wanted = {file.path: (top / file.path).read_bytes() for file in tree.files}
        assert read_by_table(archive.read_bytes(), table) == wanted
        assert tree_digest(table) == tree.digest()

        subprocess.run(["tar", "-xzpf", str(archive), "-C", str(copy)], check=True)
        assert walk(copy).digest() == tree.digest()

        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(archive.read_bytes()))) as opened:
            members = opened.getmembers()
        assert [m.name for m in members if m.isreg()] == [file.path for file in tree.files]
        assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members} == {
            (0, 0, "", "", TIME)
        }
        assert {m.mode for m in members if m.isdir()} == {0o755}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A tree with small files, one that fills a run, and one of several slices."""
    rows = [(["a"], 100, False), (["b"], RUN, True), (["c"], 3 * SLICE + 5, False)]
    rows += [([str(number)], 6_000, False) for number in range(60)]
    (tmp_path / "top").mkdir()
    return make(tmp_path / "top", rows)


@pytest.mark.parametrize(
    "program", [["bsdtar", "-xf"], ["busybox", "tar", "-xzf"]], ids=["bsdtar", "busybox"]
)
def test_other_programs_read_it_whole(tree: Tree, tmp_path: Path, program: list[str]) -> None:
    if shutil.which(program[0]) is None:
        pytest.skip(f"needs {program[0]}")
    pack(tree, tmp_path / "a.tar.gz", workers=1, cache=KEEPS_NOTHING)
    (tmp_path / "copy").mkdir()
    subprocess.run([*program, "a.tar.gz", "-C", "copy"], cwd=tmp_path, check=True)
    assert walk(tmp_path / "copy").digest() == tree.digest()


@pytest.mark.parametrize("name", ["1/b", "2/c"], ids=["in a run", "in slices"])
@pytest.mark.parametrize(
    "change",
    [lambda old: old + b"x", lambda old: old[:-1], lambda old: old[:-1] + b"\0"],
    ids=["grown", "shrunk", "other bytes"],
)
def test_a_file_that_changed_since_it_was_hashed_stops_it(
    tree: Tree, tmp_path: Path, name: str, change: Callable[[bytes], bytes]
) -> None:
    file = tree.top / name
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(BuildError, match=f"'{name}' changed while it was packed"):
        pack(tree, tmp_path / "a.tar.gz", workers=1, cache=KEEPS_NOTHING)


def test_members_are_runs_of_files_or_slices_of_one(tree: Tree, tmp_path: Path) -> None:
    table = pack(tree, tmp_path / "a.tar.gz", workers=2, cache=KEEPS_NOTHING)
    sizes = [member.raw_length for member in table.members]
    assert sizes[-1] == 1024
    assert sizes.count(SLICE) == 3
    assert all(size <= RUN or size <= SLICE + 512 for size in sizes)
    assert len(sizes) < len(tree.files)
    ends = [member.offset + member.length for member in table.members]
    assert [member.offset for member in table.members] == [0, *ends[:-1]]
    assert ends[-1] == (tmp_path / "a.tar.gz").stat().st_size


def test_the_number_of_threads_changes_nothing(tree: Tree, tmp_path: Path) -> None:
    tables = [
        pack(tree, tmp_path / f"{workers}.tar.gz", workers=workers, cache=KEEPS_NOTHING)
        for workers in (1, 2, 7)
    ]
    assert tables[0] == tables[1] == tables[2]
    contents = {(tmp_path / f"{workers}.tar.gz").read_bytes() for workers in (1, 2, 7)}
    assert len(contents) == 1


def test_only_a_few_runs_are_in_memory_at_once() -> None:
    taken = 0

    def runs() -> Iterator[Run]:
        nonlocal taken
        for number in range(50):
            taken += 1
            raw = bytes([number]) * 1000
            yield Run(len(raw), lambda raw=raw: raw, str(number))  # type: ignore[misc]

    compressed = compress_members(runs(), workers=2, cache=KEEPS_NOTHING)
    ahead = [taken - done for done, _ in enumerate(compressed)]
    assert len(ahead) == 50
    assert max(ahead) <= 5


def test_a_cache_changes_nothing_and_saves_the_work(tree: Tree, tmp_path: Path) -> None:
    without, cold, warm = (tmp_path / name for name in ("without", "cold", "warm"))
    kept = tmp_path / "cache"
    table = pack(tree, without, workers=2, cache=KEEPS_NOTHING)
    assert pack(tree, cold, workers=2, cache=Cache(kept)) == table
    # What is not read cannot have been compressed again: one of the files is gone.
    (tree.top / "0" / "a").rename(tmp_path / "gone")
    assert pack(tree, warm, workers=1, cache=Cache(kept)) == table
    assert without.read_bytes() == cold.read_bytes() == warm.read_bytes()


def test_a_change_leaves_most_members_as_they_are(tmp_path: Path) -> None:
    top = tmp_path / "top"
    for number in range(600):
        path = top / f"pkg{number % 20}" / f"m{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(9_000 + number, number))

    def members() -> set[str]:
        table = pack(walk(top), tmp_path / "a", workers=2, cache=KEEPS_NOTHING)
        return {member.sha256 for member in table.members}

    before = members()
    (top / "pkg3" / "m3.py").write_bytes(b"one line\n")
    (top / "pkg11" / "added.py").write_bytes(b"another\n" * 1000)
    (top / "pkg17" / "m17.py").unlink()
    after = members()
    assert len(before) > 15
    # Each change costs its own run, and sometimes the next ones up to a border that both have.
    assert len(after - before) <= 7


def test_another_version_of_a_package_leaves_the_members_of_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = tmp_path / "top"
    # No name ends a run by itself.
    monkeypatch.setattr(runs, "_BORDERS", 1 << 40)

    def write(package: str, version: str, seed: int) -> None:
        for place in (package, f"{package}-{version}.dist-info"):
            for number in range(30):
                path = top / "lib" / place / f"m{number}.py"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content(1_000 + number, seed + number))

    def packed() -> FileTable:
        return pack(walk(top), tmp_path / "a", workers=2, cache=KEEPS_NOTHING)

    for number, package in enumerate("abcde"):
        write(package, "1.0", 1000 * number)
    before = packed()
    shutil.rmtree(top / "lib" / "c")
    shutil.rmtree(top / "lib" / "c-1.0.dist-info")
    write("c", "1.1", 9000)
    after = {member.sha256 for member in packed().members}
    lost = {number for number, member in enumerate(before.members) if member.sha256 not in after}
    assert lost
    beside = [file for file in before.files if file.member in lost and file.path[:5] != "lib/c"]
    # The end of its neighbour, if that is short.
    assert sum(file.size for file in beside) < 10 * 1024


def test_modes_and_times_of_the_disk_are_not_written(tree: Tree, tmp_path: Path) -> None:
    before = pack(tree, tmp_path / "a.tar.gz", workers=1, cache=KEEPS_NOTHING)
    for file in tree.files:
        os.utime(tree.top / file.path, (1, 1))
        (tree.top / file.path).chmod(0o700 if file.executable else 0o600)
    assert pack(walk(tree.top), tmp_path / "b.tar.gz", workers=1, cache=KEEPS_NOTHING) == before
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()


@pytest.mark.parametrize(
    "entry",
    [
        TreeFile("pkg/module.py", False, 1234, ""),
        TreeFile("bin/run", True, 0, ""),
        TreeFile("a" * 100, False, 1, ""),
        TreeFile("a" * 101, False, 1, ""),
        TreeFile("schön", False, 1, ""),
        TreeFile("large", False, 8**11, ""),
        Link("bin/tool", "../lib/bin/tool"),
        Link("long", "b" * 101),
        "folder",
        "f" * 100,
    ],
    ids=lambda entry: str(entry)[:40],
)
def test_headers_say_what_the_entry_is(entry: str | TreeFile | Link) -> None:
    header = _header(entry)
    with tarfile.open(fileobj=io.BytesIO(header + bytes(1024)), ignore_zeros=False) as opened:
        info = opened.next()
    assert info is not None
    assert info.name == (entry if isinstance(entry, str) else entry.path)
    assert info.isdir() == isinstance(entry, str)
    assert info.linkname == (entry.target if isinstance(entry, Link) else "")
    if isinstance(entry, TreeFile):
        assert (info.size, info.mode) == (entry.size, 0o755 if entry.executable else 0o644)
    assert (info.uid, info.gid, info.uname, info.gname, info.mtime) == (0, 0, "", "", TIME)


def test_a_huge_file_is_packed_in_little_memory(tmp_path: Path) -> None:
    (tmp_path / "top").mkdir()
    with (tmp_path / "top" / "huge").open("wb") as file:
        file.truncate(300 * SLICE)
    script = (
        "import re, sys; from pathlib import Path;"
        "from castoff.builder.cache import Cache;"
        "from castoff.builder.tarball import write_tarball;"
        "from castoff.builder.tree import walk; top, archive, cache = map(Path, sys.argv[1:]);"
        "write_tarball(walk(top), archive, workers=2, cache=Cache(cache));"
        # Not what getrusage() says, which counts the memory of whoever started the process, too.
        "text = Path('/proc/self/status').read_text();"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', text)[1]) * 1024)"
    )
    places = [str(tmp_path / name) for name in ("top", "archive", "cache")]
    done = subprocess.run(
        [sys.executable, "-c", script, *places], check=True, capture_output=True, text=True
    )
    assert int(done.stdout) < 150 * SLICE
