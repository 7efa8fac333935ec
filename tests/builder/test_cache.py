from __future__ import annotations

import errno
import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from castoff.builder import cache_space
from castoff.builder.cache import HEAD, Cache, key_of
from castoff.builder.cache_space import STAGES, clear, prune, usage
from castoff.builder.pack import Damaged
from castoff.builder.tree import walk

KEY = key_of({"input": "a"})
OTHER = key_of({"input": "b"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def entry(folder: Path, key: str = KEY, stage: str = "members") -> Path:
    return folder / stage / key[:2] / key


def make_tree(top: Path) -> Path:
    (top / "pkg" / "empty").mkdir(parents=True)
    (top / "pkg" / "a.py").write_text("a = 1\n")
    (top / "pkg" / "tool").write_bytes(b"#!/bin/sh\n")
    (top / "pkg" / "tool").chmod(0o755)
    (top / "pkg" / "large").write_bytes(os.urandom(2_500_000))
    (top / "pkg" / "nothing").touch()
    (top / "link").symlink_to("pkg/a.py")
    return top


def test_what_was_written_is_read_back(folder: Path) -> None:
    assert Cache(folder).read("members", KEY) is None
    Cache(folder).write("members", KEY, b"data")
    Cache(folder).write("members", OTHER, b"")
    assert Cache(folder).read("members", KEY) == b"data"
    assert Cache(folder).read("members", OTHER) == b""
    assert Cache(folder).read("bytecode", KEY) is None


@pytest.mark.parametrize("where", ["same disk", "another"])
def test_what_lies_in_a_file_is_kept_by_its_name_where_that_can_be(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    if where == "another":

        def refuse(_path: Path, _target: Path) -> None:
            monkeypatch.undo()
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

        monkeypatch.setattr(Path, "replace", refuse)
    file = tmp_path / "made"
    file.write_bytes(bytes(HEAD) + b"data")
    inode = file.stat().st_ino
    cache = Cache(folder)
    cache.adopt("bytecode", KEY, file, b"data")
    assert cache.read("bytecode", KEY) == b"data"
    assert cache.told() == (HEAD + 4, None)
    kept = entry(folder, stage="bytecode").stat()
    assert kept.st_mode & 0o777 == 0o600
    assert (kept.st_ino == inode) == (where == "same disk")


def test_a_tree_comes_back_as_it_was(folder: Path, tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    cache = Cache(folder)
    assert not cache.read_tree("dependencies", KEY, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    cache.write_tree("dependencies", KEY, tree)
    assert cache.read_tree("dependencies", KEY, tmp_path / "copy")
    assert walk(tmp_path / "copy").digest() == walk(tree).digest()
    assert cache.trouble is None


def test_a_damaged_tree_in_a_folder_that_cannot_be_written_is_not_opened_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(folder)
    cache.write_tree("dependencies", KEY, make_tree(tmp_path / "tree"))

    def refuse(_path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    assert cache.open_tree("dependencies", KEY) is not None
    cache.remove_opened()
    assert entry(folder, stage="dependencies").exists()
    assert cache.open_tree("dependencies", KEY) is None
    cache.close()


def test_each_fact_changes_the_key() -> None:
    facts = {"input": "a", "tool": "1.0"}
    keys = {key_of(facts), key_of({**facts, "tool": "1.1"}), key_of({**facts, "input": "b"})}
    assert len(keys) == 3


@pytest.mark.parametrize("where", [0, 70, -1])
def test_a_damaged_entry_is_a_miss_and_goes(folder: Path, where: int) -> None:
    Cache(folder).write("members", KEY, b"data" * 10)
    content = bytearray(entry(folder).read_bytes())
    content[where] ^= 1
    entry(folder).write_bytes(content)
    assert Cache(folder).read("members", KEY) is None
    assert not entry(folder).exists()


class _Bad(io.BufferedReader):
    """A file on a disk with a bad sector, behind its first bytes."""

    def read(self, _: int | None = -1, /) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_an_entry_that_the_disk_does_not_give_back_is_a_miss_and_goes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(folder)
    cache.write("members", KEY, b"data")
    for name in ("dependencies", "archives", "files"):
        cache.write_tree(name, KEY, make_tree(tmp_path / name))
    pack = cache.open_tree("files", KEY)
    assert pack is not None
    monkeypatch.setattr("os.fdopen", lambda number, _mode: _Bad(io.FileIO(number)))
    assert cache.read("members", KEY) is None
    assert not cache.read_tree("dependencies", KEY, tmp_path / "tree")
    assert not (tmp_path / "tree").exists()
    assert cache.open_tree("archives", KEY) is None
    left = [path.relative_to(folder).parts[0] for path in folder.rglob(KEY)]
    assert left == ["files"]

    def refuses(*_: int) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("os.pread", refuses)
    with pytest.raises(Damaged):
        pack.read_at(0, 1)
    cache.close()


@pytest.mark.parametrize("where", [3, 1_000_000, -200, -45, -20, -1])
def test_a_damaged_tree_is_a_miss_and_leaves_nothing(
    folder: Path, tmp_path: Path, where: int
) -> None:
    Cache(folder).write_tree("dependencies", KEY, make_tree(tmp_path / "tree"))
    place = entry(folder, stage="dependencies")
    content = bytearray(place.read_bytes())
    content[where] ^= 1
    place.write_bytes(content)
    assert not Cache(folder).read_tree("dependencies", KEY, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    assert not place.exists()


@pytest.mark.parametrize("kept", [0, 30, 1000, 2_400_000])
def test_a_tree_that_was_cut_off_is_a_miss(folder: Path, tmp_path: Path, kept: int) -> None:
    Cache(folder).write_tree("dependencies", KEY, make_tree(tmp_path / "tree"))
    place = entry(folder, stage="dependencies")
    place.write_bytes(place.read_bytes()[:kept])
    assert not Cache(folder).read_tree("dependencies", KEY, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_the_least_recently_used_leave_first(folder: Path) -> None:
    cache = Cache(folder)
    keys = [key_of({"number": number}) for number in range(4)]
    for age, key in enumerate(keys):
        cache.write("members", key, bytes(900))
        os.utime(entry(folder, key), (1000 + age, 1000 + age))
    cache.read("members", keys[0])
    prune(folder, 3000)
    assert [entry(folder, key).exists() for key in keys] == [True, False, True, True]


def test_all_stages_share_the_bound(folder: Path) -> None:
    cache = Cache(folder, bound=3000)
    for stage in STAGES:
        cache.write(stage, KEY, bytes(900))
    cache.tidy()
    assert sum(one.size for one in usage(folder)) <= 3000


def test_each_stage_that_is_written_is_counted_pruned_and_cleared() -> None:
    top = Path(cache_space.__file__).parents[1]
    named = re.compile(r"^_?STAGE = \"(.+)\"$", re.MULTILINE)
    files = [path for part in ("builder", "cli") for path in (top / part).rglob("*.py")]
    written = {name for file in files for name in named.findall(file.read_text("utf-8"))}

    assert {"dependencies", "migrations", "configuration"} <= written
    assert written <= set(STAGES)


def test_the_bound_holds_over_many_builds_that_do_not_count_entries(folder: Path) -> None:
    for number in range(120):
        cache = Cache(folder, bound=20_000)
        cache.write("members", key_of({"number": number}), bytes(1000))
        cache.tidy()
        assert sum(one.size for one in usage(folder)) <= 20_000
    # Two at once may overwrite each other's note; a lost or damaged one is made again.
    for damage in (b"", b"x\n", b"=", b"9" * 5000):
        (folder / "written").write_bytes(damage)
        cache = Cache(folder, bound=20_000)
        cache.write("members", KEY, bytes(9_000))
        cache.tidy()
        assert sum(one.size for one in usage(folder)) <= 20_000
        assert int((folder / "written").read_text().removeprefix("=")) <= 20_000


def test_an_entry_that_would_push_out_all_others_is_not_kept(folder: Path, tmp_path: Path) -> None:
    cache = Cache(folder, bound=2_000_000)
    cache.write_tree("dependencies", KEY, make_tree(tmp_path / "tree"))
    assert usage(folder)[0].entries == 0
    assert list(entry(folder, stage="dependencies").parent.iterdir()) == []


def test_the_bound_holds_while_one_build_writes_a_great_deal(folder: Path) -> None:
    cache = Cache(folder, bound=100_000)
    for number in range(100):
        cache.write("members", key_of({"number": number}), bytes(10_000))
    assert sum(one.size for one in usage(folder)) <= 210_000


def test_without_a_folder_or_a_bound_nothing_is_kept(folder: Path, tmp_path: Path) -> None:
    for cache in (Cache(None), Cache(folder, bound=0)):
        cache.write("members", KEY, b"data")
        assert cache.read("members", KEY) is None
        assert not cache.read_tree("dependencies", KEY, tmp_path / "copy")
        cache.tidy()
    assert not folder.exists()


def test_a_folder_that_cannot_be_made_is_told_and_gone_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    cache = Cache(tmp_path / "file" / "cache")
    cache.write("members", KEY, b"data")
    assert cache.read("members", KEY) is None
    assert cache.trouble is not None
    assert "file" in cache.trouble
    cache.tidy()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_leaves_no_half_entry(folder: Path, tmp_path: Path) -> None:
    limit = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000));"
        "from pathlib import Path; from castoff.builder.cache import Cache;"
        f"cache = Cache(Path({str(folder)!r}));"
        f"cache.write_tree('dependencies', {KEY!r}, Path({str(make_tree(tmp_path / 'tree'))!r}));"
        f"cache.write('members', {KEY!r}, b'small');"
        "assert cache.trouble, cache.trouble"
    )
    subprocess.run([sys.executable, "-c", limit], check=True)
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_no_link_is_followed(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    Cache(elsewhere).write("members", KEY, b"not ours")
    entry(folder).parent.mkdir(parents=True)
    entry(folder).symlink_to(entry(elsewhere))
    assert Cache(folder).read("members", KEY) is None
    (folder / "bytecode").symlink_to(elsewhere / "members")
    cache = Cache(folder)
    assert cache.read("bytecode", KEY) is None
    cache.write("bytecode", OTHER, b"data")
    assert cache.trouble is not None
    prune(folder, 0)
    clear(folder)
    assert Cache(elsewhere).read("members", KEY) == b"not ours"
    assert not entry(elsewhere, OTHER).exists()


def test_clearing_takes_tools_too_and_nothing_else(folder: Path) -> None:
    Cache(folder).write("members", KEY, b"data")
    for name in ("assets/npm/a.tgz", "assets/node/less/package.json", "notes"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("text")
    assert clear(folder) > 0
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["notes"]
    assert clear(folder) == 0


def test_pruning_leaves_tools_and_takes_what_a_killed_build_left(folder: Path) -> None:
    (folder / "assets" / "npm").mkdir(parents=True)
    (folder / "assets" / "npm" / "a.tgz").write_bytes(bytes(1000))
    Cache(folder).write("members", KEY, b"data")
    for name, age in (("~old", 100_000), ("~new", 10)):
        half = entry(folder).with_name(name)
        half.write_bytes(b"half")
        os.utime(half, (time.time() - age, time.time() - age))
    prune(folder, 10**9)
    assert sorted(path.name for path in entry(folder).parent.iterdir()) == sorted([KEY, "~new"])
    prune(folder, 0)
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["a.tgz", "~new"]


def test_many_threads_and_prunings_never_see_a_half_entry(folder: Path) -> None:
    keys = [key_of({"number": number}) for number in range(5)]
    wrong: list[bytes] = []

    def work(number: int) -> None:
        cache = Cache(folder)
        for turn in range(60):
            key = keys[(number + turn) % len(keys)]
            found = cache.read("members", key)
            if found is not None and found != key.encode() * 500:
                wrong.append(found)
            cache.write("members", key, key.encode() * 500)
            if turn % 20 == number:
                prune(folder, 50_000)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert list(folder.rglob("~*")) == []


def test_a_killed_writer_leaves_nothing_that_is_read(folder: Path) -> None:
    script = (
        "from pathlib import Path; from castoff.builder.cache import Cache\n"
        f"cache = Cache(Path({str(folder)!r}))\n"
        "print('ready', flush=True)\n"
        f"while True: cache.write('members', {KEY!r}, bytes(3_000_000))\n"
    )
    for _ in range(4):
        writer = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        while not entry(folder).exists():
            time.sleep(0.001)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        assert Cache(folder).read("members", KEY) == bytes(3_000_000)
        entry(folder).unlink()
