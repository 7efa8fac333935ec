"""A tree that builds run code with: whatever is done to it is seen, and nobody takes it away."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from castoff.builder.cache import Cache, key_of
from castoff.builder.cache_space import clear, prune, usage
from castoff.builder.sealed_tree import Change, SealedTree, remove, size_of

KEY = key_of({"tree": 1})
PATHS = ("lib", "lib/a.py", "lib/empty", "lib/link", "lib/pkg", "lib/pkg/b.py")
SIZE = 12_345


def fill(folder: Path) -> None:
    (folder / "lib/pkg").mkdir(parents=True)
    (folder / "lib/empty").mkdir()
    (folder / "lib/a.py").write_text("a = 1\n")
    (folder / "lib/pkg/b.py").write_text("b = 1\n")
    (folder / "lib/link").symlink_to("a.py")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "cache/trees/ab/place"


def make(place: Path) -> SealedTree:
    return SealedTree.make(place, PATHS, SIZE, fill)


def taken(place: Path) -> SealedTree:
    tree = SealedTree.take(place, PATHS)
    assert tree is not None
    return tree


def beside(place: Path) -> list[str]:
    return sorted(path.name for path in place.parent.iterdir())


def test_it_is_found_again_as_it_was_made(place: Path) -> None:
    assert SealedTree.take(place, PATHS) is None
    made = make(place)
    assert made.folder == place
    assert made.change() is Change.NEVER
    made.close()
    for _ in range(2):
        again = taken(place)
        assert (again.folder / "lib/link").read_text() == "a = 1\n"
        assert again.change() is Change.NEVER
        again.close()
    assert size_of(place) == SIZE
    assert beside(place) == ["place"]


def _rewrite(lib: Path) -> None:
    before = (lib / "a.py").stat()
    (lib / "a.py").write_text("a = 2\n")
    os.utime(lib / "a.py", ns=(before.st_atime_ns, before.st_mtime_ns))


def _replace(lib: Path) -> None:
    shutil.copy2(lib / "a.py", lib.parent / "copy")
    (lib.parent / "copy").replace(lib / "a.py")


def _add_and_remove(lib: Path) -> None:
    (lib / "pkg/new").touch()
    (lib / "pkg/new").unlink()


def _exchange(lib: Path) -> None:
    shutil.copytree(lib, lib.parent / "copy", symlinks=True)
    shutil.rmtree(lib)
    (lib.parent / "copy").rename(lib)


def _point_elsewhere(lib: Path) -> None:
    (lib / "link").unlink()
    (lib / "link").symlink_to("b.py")


CHANGES: dict[str, Callable[[Path], object]] = {
    "same size and time": _rewrite,
    "longer": lambda lib: (lib / "a.py").write_text("a = 1\n\n"),
    "cut": lambda lib: os.truncate(lib / "a.py", 0),
    "other mode": lambda lib: (lib / "a.py").chmod(0o640),
    "same mode": lambda lib: (lib / "a.py").chmod((lib / "a.py").stat().st_mode),
    "hard link": lambda lib: (lib.parent / "link").hardlink_to(lib / "a.py"),
    "replaced": _replace,
    "removed": lambda lib: (lib / "pkg/b.py").unlink(),
    "folder removed": lambda lib: (lib / "empty").rmdir(),
    "renamed": lambda lib: (lib / "pkg").rename(lib / "gkp"),
    "new file": lambda lib: (lib / "empty/new").touch(),
    "was there for a moment": _add_and_remove,
    "other link": _point_elsewhere,
    "all of it copied": _exchange,
    "touched": lambda lib: os.utime(lib / "pkg"),
    "before all time": lambda lib: os.utime(lib / "a.py", ns=(-5, -5)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_every_change_is_seen_and_when_it_was(place: Path, what: str) -> None:
    make(place).close()
    tree = taken(place)
    CHANGES[what](place / "lib")
    assert tree.change() is Change.SINCE
    tree.close()
    time.sleep(0.02)
    tree = taken(place)
    assert tree.change() is Change.BEFORE
    tree.close()


def test_a_tree_or_a_seal_that_is_not_there_is_a_change(place: Path) -> None:
    make(place).close()
    tree = taken(place)
    shutil.rmtree(place)
    assert tree.change() is Change.BEFORE
    tree.close()
    make(place).close()
    (place / "seal").write_bytes(b"{}")
    time.sleep(0.02)
    tree = taken(place)
    assert tree.change() is Change.BEFORE
    tree.close()
    # And what is left of one is in nobody's way.
    (place / "seal").unlink()
    assert SealedTree.take(place, PATHS) is None
    make(place).close()
    assert taken(place).change() is Change.NEVER


def test_what_is_given_up_serves_those_who_have_it_and_nobody_else(place: Path) -> None:
    first = make(place)
    second = taken(place)
    first.give_up()
    assert SealedTree.take(place, PATHS) is None
    first.close()
    assert (second.folder / "lib/a.py").exists()
    third = make(place)
    assert third.folder != place
    assert third.change() is Change.NEVER
    third.close()
    second.close()
    assert beside(place) == []


def test_what_is_used_is_not_removed(place: Path) -> None:
    users = [make(place), taken(place)]
    for user in users:
        assert not remove(place)
        assert user.change() is Change.NEVER
        user.close()
    assert remove(place)
    assert beside(place) == []
    assert not remove(place)


def test_of_two_that_are_made_at_once_one_stays(place: Path) -> None:
    def fill_late(folder: Path) -> None:
        make(place).close()
        fill(folder)

    # The first is not used any more, and this one takes its place.
    late = SealedTree.make(place, PATHS, SIZE, fill_late)
    assert late.folder == place
    late.close()
    user = taken(place)
    other = make(place)
    assert other.folder != place
    assert other.change() is Change.NEVER
    other.close()
    assert beside(place) == ["place"]
    assert user.change() is Change.NEVER
    user.close()


def test_no_link_is_followed(place: Path, tmp_path: Path) -> None:
    make(place).close()
    elsewhere = tmp_path / "elsewhere"
    place.rename(elsewhere)
    place.symlink_to(elsewhere)
    assert SealedTree.take(place, PATHS) is None
    assert not remove(place)
    prune(tmp_path / "cache", 0)
    clear(tmp_path / "cache")
    assert (elsewhere / "lib/a.py").exists()


def test_a_failure_leaves_nothing(place: Path) -> None:
    def fails(folder: Path) -> None:
        fill(folder)
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        SealedTree.make(place, PATHS, SIZE, fails)
    assert beside(place) == []


MAKER = """
import sys
from pathlib import Path
from castoff.builder.cache import Cache
def fill(folder):
    (folder / "lib").mkdir()
    (folder / "lib/a.py").write_text("a = 1")
    print("ready", flush=True)
    sys.stdin.read()
Cache(Path(sys.argv[1])).make_tree("trees", sys.argv[2], ["lib", "lib/a.py"], size=10, fill=fill)
print("made", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A build that is making a tree, and writes its last file when its input ends."""
    pipe = subprocess.PIPE
    argv = [sys.executable, "-c", MAKER, str(tmp_path / "cache"), KEY]
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        with suppress(ProcessLookupError):
            process.kill()


def test_pruning_leaves_what_is_being_made_and_takes_what_a_killed_build_left(
    tmp_path: Path, maker: subprocess.Popen[str]
) -> None:
    cache = tmp_path / "cache"
    group = cache / "trees" / KEY[:2]
    prune(cache, 0)
    clear(cache)
    (left,) = group.iterdir()
    assert (left / "lib/a.py").exists()
    maker.send_signal(signal.SIGKILL)
    maker.wait()
    prune(cache, 10**9)
    assert list(group.iterdir()) == []


def test_the_least_recently_used_leave_first_and_none_that_is_used(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    cache = Cache(folder)
    keys = [key_of({"tree": number}) for number in range(3)]
    trees = [cache.make_tree("trees", key, PATHS, size=1000, fill=fill) for key in keys]
    cache.write("members", KEY, bytes(936))
    for tree in trees:
        assert tree is not None
        tree.close()
    places = [folder / "trees" / key[:2] / key for key in keys]
    for age, place in enumerate(places):
        os.utime(place / "seal", (1000 + age, 1000 + age))
    sizes = {one.stage: (one.entries, one.size) for one in usage(folder)}
    assert sizes["trees"] == (3, 3000)

    oldest = cache.take_tree("trees", keys[0], PATHS)
    assert oldest is not None
    assert prune(folder, 3000) == 1000
    assert [place.exists() for place in places] == [True, False, True]
    assert prune(folder, 0) == 2000
    assert [place.exists() for place in places] == [True, False, False]
    assert clear(folder) == 0
    assert oldest.change() is Change.NEVER
    oldest.close()
    assert clear(folder) == 1000
    assert not any(folder.rglob("*.py"))


def test_what_is_too_large_or_has_no_place_is_not_made(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    for cache in (Cache(None), Cache(folder, bound=0), Cache(folder, bound=4 * SIZE - 1)):
        assert cache.make_tree("trees", KEY, PATHS, size=SIZE, fill=fill) is None
        assert cache.take_tree("trees", KEY, PATHS) is None
        assert cache.trouble is None
    assert not folder.exists()
    cache = Cache(folder, bound=4 * SIZE)
    made = cache.make_tree("trees", KEY, PATHS, size=SIZE, fill=fill)
    assert made is not None
    made.close()
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file" / "cache")
    assert cache.make_tree("trees", KEY, PATHS, size=SIZE, fill=fill) is None
    assert cache.trouble is not None
