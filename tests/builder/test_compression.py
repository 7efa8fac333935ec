"""Dependencies compressed unit by unit, beside the rest: the members of any archive with them."""

from __future__ import annotations

import fcntl
import gzip
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from castoff.builder import compression, members, unit_members
from castoff.builder.cache import Cache
from castoff.builder.compression import Abandoned, Compression, MadeUnit
from castoff.builder.forked import Forked
from castoff.builder.layer import Layer
from castoff.builder.pack import Damaged
from castoff.builder.runs import RUN, SLICE
from castoff.builder.tarball import write_tarball
from castoff.builder.tree import Tree
from castoff.builder.unit_members import Members, make_members
from castoff.builder.units import Unit, units
from support.any_tree import content

FILES = {
    **{f"pkg{number % 5}/m{number}.py": 9_000 + 37 * number for number in range(120)},
    "alone.py": 30,
    "pkg1/ünicode.txt": 900,
    f"pkg2/{'long' * 30}/name.py": 70,
    "pkg3/large": 6 * SLICE + 5,
    "pkg4/run": RUN - 512,
    "zoo/__init__.py": 10,
}


def layer_of(folder: Path, files: dict[str, int] = FILES) -> Layer:
    """Return a layer that lies in a cache of its own."""
    for number, (name, size) in enumerate(files.items()):
        path = folder / "lib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(size, number))
    (folder / "lib" / "link").symlink_to("alone.py")
    cache = Cache(folder / "pack")
    cache.write_tree("dependencies", "0" * 64, folder / "lib")
    pack = cache.open_tree("dependencies", "0" * 64)
    assert pack is not None
    return Layer.of(pack, "lib")


@pytest.fixture
def layer(tmp_path: Path) -> Layer:
    return layer_of(tmp_path)


@pytest.fixture
def always_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "_MANY", 0)


def compress(layer: Layer, folder: Path, *, workers: int, cache: Cache | None = None) -> bytes:
    """Return all that is known of all members, and their bytes."""
    folder.mkdir()
    with Forked() as forked:
        kept = cache or Cache(None)
        made = Compression(layer, folder, kept, forked, workers=workers).made()
        return b"\n".join(map(told, made))


def told(one: MadeUnit) -> bytes:
    data = one.file.read_bytes()[one.start :][: sum(each.length for each in one.members)]
    return repr((one.unit, one.members)).encode() + data


def test_units_hold_the_members_of_the_whole(layer: Layer, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    write_tarball(Tree(tmp_path, (), (), (), layer), archive, workers=1, cache=Cache(None))
    found = list(units(layer.rows))
    assert len(found) > 5, "a package is a unit, and a large one several"
    data = bytearray()
    for unit in found:
        make_members(layer, unit, Cache(None), data.extend)
    assert archive.read_bytes().startswith(data)
    # All but what may share a run with what follows.
    left = gzip.decompress(archive.read_bytes()[len(data) :])
    assert len(left) <= RUN + 1024
    assert [one.begin for one in found] == [0, *(one.end for one in found[:-1])]


@pytest.mark.usefixtures("always_processes")
def test_processes_make_what_one_makes(layer: Layer, tmp_path: Path) -> None:
    wanted = compress(layer, tmp_path / "alone", workers=1)
    for workers in (2, 40):
        assert compress(layer, tmp_path / f"{workers}", workers=workers) == wanted


@pytest.mark.usefixtures("always_processes")
def test_members_are_kept_and_only_what_changed_is_made_again(
    layer: Layer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(tmp_path / "cache")
    wanted = compress(layer, tmp_path / "cold", workers=2, cache=cache)
    kept = sorted((tmp_path / "cache" / "members").glob("*/*"))
    assert len(kept) == len(list(units(layer.rows)))
    written, trouble = cache.told()
    assert (written, trouble) == (sum(path.stat().st_size for path in kept), None)
    kept[0].write_bytes(b"damaged")
    assert compress(layer, tmp_path / "warm", workers=1, cache=cache) == wanted

    compressed: list[bytes] = []

    def noted(data: bytes) -> bytes:
        compressed.append(data)
        return members.compress(data)

    monkeypatch.setattr(unit_members, "compress", noted)
    (tmp_path / "other").mkdir()
    other = layer_of(tmp_path / "other", {**FILES, "pkg0/m0.py": 9_001})
    compress(other, tmp_path / "changed", workers=1, cache=cache)
    assert compressed
    assert all(b"lib/pkg0/" in data for data in compressed)


@pytest.mark.usefixtures("always_processes")
def test_members_are_written_once_and_again_if_another_build_had_no_room(
    layer: Layer, tmp_path: Path
) -> None:
    wanted = compress(layer, tmp_path / "alone", workers=1)
    folder = tmp_path / "made"
    folder.mkdir()
    with Forked() as forked:
        made = Compression(layer, folder, Cache(tmp_path / "cache"), forked, workers=2).made()
        first = next(made)
        assert first.file.parent.parent == tmp_path / "cache" / "members"
        kept: list[Path] = []
        while len(kept) < len(list(units(layer.rows))):
            time.sleep(0.01)
            kept = list((tmp_path / "cache" / "members").glob("*/[!~]*"))
        # What the processes have said of units, and no member.
        assert sum(path.stat().st_size for path in folder.iterdir()) < len(wanted) // 10
        for path in kept:
            if path != first.file:
                path.unlink()
        assert b"\n".join(map(told, [first, *made])) == wanted


def test_a_large_unit_is_never_held_as_a_whole(
    layer: Layer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = compress(layer, tmp_path / "whole", workers=1)
    (unit,) = (unit for unit in units(layer.rows) if holds(layer, unit, "lib/pkg3/large"))
    monkeypatch.setattr(unit_members, "_LARGE", 2 * SLICE)
    cache = Cache(tmp_path / "cache")
    assert compress(layer, tmp_path / "pieces", workers=1, cache=cache) == wanted
    assert compress(layer, tmp_path / "kept", workers=1, cache=cache) == wanted
    written: list[int] = []
    for _ in range(2):
        make_members(layer, unit, cache, lambda data: written.append(len(data)))
    assert len(written) > 12
    assert max(written) < SLICE + 4096


def holds(layer: Layer, unit: Unit, path: str) -> bool:
    return unit.begin <= layer.rows.index[path] < unit.end


@pytest.mark.usefixtures("always_processes")
def test_what_a_killed_process_leaves_is_done_without_it(
    layer: Layer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = compress(layer, tmp_path / "alone", workers=1)
    here = os.getpid()

    def dies(layer: Layer, unit: Unit, cache: Cache, write: Callable[[bytes], object]) -> Members:
        if os.getpid() != here and unit.begin:
            os.kill(os.getpid(), signal.SIGKILL)
        return make_members(layer, unit, cache, write)

    monkeypatch.setattr(compression, "make_members", dies)
    assert compress(layer, tmp_path / "killed", workers=2) == wanted


@pytest.mark.usefixtures("always_processes")
def test_nobody_waits_once_it_is_abandoned(
    layer: Layer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "make_members", lambda *_: signal.pause())
    with Forked() as forked, ThreadPoolExecutor(1) as beside:
        it = Compression(layer, tmp_path, Cache(None), forked, workers=2)
        waiting = beside.submit(list, it.made())
        it.abandon()
        with pytest.raises(Abandoned):
            waiting.result(timeout=60)
        it.wait()


@pytest.mark.usefixtures("always_processes")
def test_processes_end_whose_words_nobody_hears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = layer_of(tmp_path, {f"pkg{number}/m.py": 10_300 for number in range(600)})
    plain = os.pipe

    def small() -> tuple[int, int]:
        # As the system gives them to who has many.
        reading, writing = plain()
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
        return reading, writing

    monkeypatch.setattr(os, "pipe", small)
    with Forked() as forked:
        it = Compression(layer, tmp_path, Cache(None), forked, workers=2)
        children = tuple(it._children)
        with ThreadPoolExecutor(1) as beside:
            waiting = beside.submit(it.wait)
            try:
                waiting.result(timeout=60)
            finally:
                for child in children:
                    with suppress(OSError):
                        os.kill(child, signal.SIGKILL)


@pytest.mark.usefixtures("always_processes")
def test_a_damaged_layer_is_told(layer: Layer, tmp_path: Path) -> None:
    (pack,) = (tmp_path / "pack" / "dependencies").glob("*/*")
    with pack.open("r+b") as file:
        file.seek(pack.stat().st_size // 3)
        file.write(b"?")
    with pytest.raises(Damaged):
        compress(layer, tmp_path / "made", workers=2)


def test_processes_end_with_the_block() -> None:
    reading, writing = os.pipe()
    # Another thread, of which some versions of Python warn.
    with Forked() as forked, ThreadPoolExecutor(1) as beside:
        beside.submit(str).result()
        child = forked.start(lambda: os.read(reading, 1))
    assert child is not None
    with pytest.raises(ChildProcessError):
        os.waitpid(child, os.WNOHANG)
    os.close(writing)
    os.close(reading)
