"""What an earlier build made of its dependencies: never other bytes, whatever is beside them."""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import pytest

from castoff.builder import finished, members
from castoff.builder.build import BuildResult
from castoff.builder.cache import Cache
from castoff.builder.cache_space import prune
from castoff.builder.compression import Compression, MadeUnit
from castoff.builder.forked import Forked
from castoff.builder.growing import Growing, NotKept
from castoff.builder.layer import Layer
from castoff.builder.members import compress
from castoff.builder.pack import Damaged, Pack
from castoff.builder.packed import Packed
from castoff.builder.runs import RUN, SLICE
from castoff.builder.settled import Settled
from castoff.builder.settling import sections_of, write_settled
from castoff.builder.tarball import write_tarball
from castoff.builder.tree import walk
from support.any_tree import content
from support.builds import DEPENDENCIES, Repository, lock

Files = Mapping[str, int]

# Of many runs, a file of several slices among them, one that fills a run, and a few that do not.
LIB: Files = {
    **{f"pkg{number % 7}/m{number}.py": 20_000 + 37 * number for number in range(160)},
    "pkg3/data/large": 3 * SLICE + 5,
    "pkg5/data/run": RUN,
    "bin/tool": 40,
    "zoo.py": 10,
}
APPS: Mapping[str, Files] = {
    "as it was": {"one.py": 3000, "two.py": 90_000},
    "a line": {"one.py": 3001, "two.py": 90_000},
    "nothing": {},
    "more": {f"m{number}.py": 50_000 for number in range(30)},
    "large at its end": {"one.py": 3000, "z": 2 * SLICE + 700},
    "a border at its end": {"one.py": RUN - 512},
}


def write(top: Path, files: Files, *, seed: int) -> None:
    for number, (name, size) in enumerate(files.items()):
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(size, seed + number))


class Bench:
    """A finished `lib/` in a cache, and what one build has made of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = Cache(folder / "cache")
        self.lib = folder / "lib"
        write(self.lib, LIB, seed=1000)
        (self.lib / "bin" / "tool").chmod(0o755)
        (self.lib / "link").symlink_to("zoo.py")
        self.cache.write_tree("dependencies", "0" * 64, self.lib)
        pack = self.cache.open_tree("dependencies", "0" * 64)
        assert pack is not None
        self.layer = Layer.of(pack, "lib")
        self.record = folder / "record"
        with Forked() as forked, self.record.open("wb") as file:
            made = Compression(self.layer, folder, Cache(None), forked, workers=1).made()
            rows = self.layer.rows
            write_settled(
                file,
                sections_of(rows),
                made,
                facts={"a": 1},
                size=sum(rows.sizes),
                pack=pack.identity,
            )

    def settled(self) -> Settled:
        with self.record.open("rb") as file:
            return Settled(file, pack=self.layer.pack.identity)

    def read_all(self, record: Path) -> None:
        with record.open("rb") as file:
            opened = Settled(file, pack=self.layer.pack.identity)
        for _ in opened.members(0):
            pass

    def build(self, app: str, layer: Layer | None) -> Packed:
        top = self.folder / app
        shutil.rmtree(top, ignore_errors=True)
        (top / "tree").mkdir(parents=True)
        write(top / "tree" / "app", APPS[app], seed=1)
        write(top / "tree", {"castoff.json": 150}, seed=len(app))
        # What stands behind the layer, and would be in its last run.
        write(top / "tree" / "static", {"a.css": 10}, seed=3)
        if layer is None:
            shutil.copytree(self.lib, top / "tree" / "lib", symlinks=True)
        tree = walk(top / "tree", layer)
        return write_tarball(tree, top / "archive", workers=2, cache=Cache(None))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"))


@pytest.mark.parametrize("app", APPS)
def test_bytes_are_the_same_whatever_is_beside(
    bench: Bench, app: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = bench.build(app, None)
    wanted = (bench.folder / app / "archive").read_bytes()
    assert bench.build(app, bench.layer) == whole
    compressed = 0

    def counted(data: bytes) -> bytes:
        nonlocal compressed
        compressed += 1
        return compress(data)

    monkeypatch.setattr(members, "compress", counted)
    quick = bench.build(app, replace(bench.layer, settled=bench.settled()))
    assert quick == whole
    assert (bench.folder / app / "archive").read_bytes() == wanted
    here = len(json.loads(whole.document)["members"])
    assert compressed < here / 2, "nothing was taken from the record"


def test_members_go_into_the_archive_as_they_come(bench: Bench, tmp_path: Path) -> None:
    wanted = bench.build("a line", None)
    archive = (bench.folder / "a line" / "archive").read_bytes()
    rows, read = bench.layer.rows, threading.Semaphore(2)
    sections, size = sections_of(rows), sum(rows.sizes)
    with Forked() as forked:
        made = list(Compression(bench.layer, tmp_path, Cache(None), forked, workers=1).made())
    assert len(made) > 3

    class Watched(Growing):
        def members(self, first: int) -> Iterator[bytes]:
            for block in super().members(first):
                yield block
                read.release()

    growing = Watched(sections, size=size)

    def one_by_one() -> Iterator[MadeUnit]:
        for one in made:
            # Until what was written before has been read.
            assert read.acquire(timeout=60)
            yield one

    def keep() -> None:
        with (tmp_path / "record").open("w+b") as file:
            pack = bench.layer.pack.identity
            write_settled(
                file, sections, one_by_one(), facts={"a": 1}, size=size, pack=pack, growing=growing
            )

    with closing(growing), ThreadPoolExecutor(1) as beside:
        keeping = beside.submit(keep)
        assert bench.build("a line", replace(bench.layer, settled=growing)) == wanted
        keeping.result()
    assert (bench.folder / "a line" / "archive").read_bytes() == archive
    assert (tmp_path / "record").read_bytes() == bench.record.read_bytes()


def test_who_waits_for_what_does_not_come_is_told() -> None:
    growing = Growing([b""] * 9, size=0)
    with ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(growing.run_at, 0)
        growing.fail(NotKept())
        with pytest.raises(NotKept):
            waiting.result(timeout=60)


def test_every_flipped_bit_is_found(bench: Bench, tmp_path: Path) -> None:
    good = bench.record.read_bytes()
    size = len(good)
    bad = tmp_path / "bad"
    for place in {*range(0, size, size // 60), size - 1, size - 20, size - 38, size - 200}:
        data = bytearray(good)
        data[place] ^= 1 << place % 8
        bad.write_bytes(data)
        with pytest.raises(Damaged):
            bench.read_all(bad)


@pytest.mark.parametrize("left", [0, 10, 1000, 0.5, 0.999])
def test_a_record_that_was_cut_off_is_found(bench: Bench, tmp_path: Path, left: float) -> None:
    good = bench.record.read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(good[: int(left if left >= 1 else left * len(good))])
    with pytest.raises(Damaged), cut.open("rb") as file:
        Settled(file, pack=bench.layer.pack.identity)


def test_a_record_of_another_pack_does_not_count(bench: Bench) -> None:
    with pytest.raises(Damaged), bench.record.open("rb") as file:
        Settled(file, pack="0" * 64)


@pytest.fixture
def plain(repository: Repository) -> Repository:
    repository.commit({"app.py": "x = 1\n", "requirements.txt": lock(*DEPENDENCIES)})
    return repository


def contents(result: BuildResult) -> list[bytes]:
    return [path.read_bytes() for path in (result.archive, result.table, result.manifest_path)]


def entries(cache: Path, stage: str) -> list[Path]:
    return sorted(path for path in (cache / stage).glob("*/*"))


def damage(path: Path, what: str) -> None:
    data = bytearray(path.read_bytes())
    if what == "cut":
        data = data[:-100]
    else:
        length = int.from_bytes(data[-40:-32], "big")
        data[{"rows": -length - 100, "members": len(data) // 4, "index": -100}[what]] ^= 4
    path.write_bytes(data)


def meaning(record: Path, kept: Path) -> list[object]:
    """Return all that a record says, but where in the pack it was made from which file lies."""
    with kept.open("rb") as file:
        pack = Pack(file)
    with record.open("rb") as file:
        it = Settled(file, pack=pack.identity)
    rows = it.rows
    said = [it.facts, it.end, it.size, it.lines, it.directories, it.links, it.table_rows(0, 0)]
    contents = [
        pack.read_at(start, size) for start, size in zip(rows.starts, rows.sizes, strict=True)
    ]
    found = [
        *said,
        rows.paths,
        rows.kinds,
        rows.sizes,
        contents,
        it.member_rows(0, 0),
        b"".join(it.members(0)),
    ]
    it.close()
    pack.close()
    return found


def test_builds_take_it_and_mend_it(
    plain: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    plain.build(tmp_path / "cold", version="1", cache=cache)
    (record,) = entries(cache, "archives")
    plain.commit({"app.py": "x = 2\n"})
    wanted = contents(plain.build(tmp_path / "without", version="2"))

    def built(name: str) -> BuildResult:
        result = plain.build(tmp_path / name, version="2", cache=cache)
        assert contents(result) == wanted
        shutil.rmtree(tmp_path / name)
        return result

    good = record.read_bytes()
    (kept,) = entries(cache, "dependencies")
    before_damage = meaning(record, kept)
    before = record.stat().st_ino
    assert "install" not in built("warm").seconds
    assert record.stat().st_ino == before, "it was written again"
    # Members: found when half of the archive is written, and the record alone is made again.
    for what in ("rows", "index", "cut", "members"):
        damage(record, what)
        assert "install" not in built(what).seconds
        assert record.read_bytes() == good, what
    record.unlink()
    assert "install" not in built("without the record").seconds
    assert record.read_bytes() == good
    # By the dependencies all that was read is made again: byte code lies there in the order in
    # which it was ready. The record tells of another pack then, and is found out one after it.
    content = bytearray(kept.read_bytes())
    content[-100] ^= 1
    kept.write_bytes(content)
    assert "install" in built("the dependencies").seconds
    assert meaning(record, kept) == before_damage
    (kept,) = entries(cache, "dependencies")
    kept.unlink()
    assert "install" in built("without the dependencies").seconds

    monkeypatch.setattr(finished, "own_code", lambda *_: ["another"])
    assert "install" in built("by another Castoff").seconds
    assert len(entries(cache, "archives")) == 2


def test_damage_upon_damage_is_mended(plain: Repository, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    wanted = contents(plain.build(tmp_path / "wanted", version="1", cache=cache))
    (record,) = entries(cache, "archives")
    (kept,) = entries(cache, "dependencies")
    damage(record, "members")
    damage(kept, "rows")
    for path in entries(cache, "members"):
        path.unlink()
    mended = plain.build(tmp_path / "mended", version="1", cache=cache)
    assert contents(mended) == wanted
    assert "install" in mended.seconds
    assert "install" not in plain.build(tmp_path / "warm", version="1", cache=cache).seconds


def test_a_cache_that_is_always_damaged_is_gone_without(
    plain: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    wanted = contents(plain.build(tmp_path / "wanted", version="1", cache=cache))

    def damaged(self: Settled, _: int) -> Iterator[bytes]:
        raise Damaged(self)

    monkeypatch.setattr(Settled, "members", damaged)
    told: list[str] = []
    built = plain.build(
        tmp_path / "built",
        version="1",
        cache=cache,
        progress=lambda stage, detail: told.append(f"{stage}: {detail}"),
    )
    assert contents(built) == wanted
    assert f"cache: warning: {cache} is damaged again and again: built without it" in told


@pytest.mark.parametrize("units", [0, 1])
def test_a_disk_that_fills_up_meanwhile_costs_no_build(
    plain: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, units: int
) -> None:
    cache = tmp_path / "cache"
    wanted = contents(plain.build(tmp_path / "without", version="1"))

    def fills_up(
        file: BinaryIO, _: object, made: Iterator[MadeUnit], *, growing: Growing, **__: object
    ) -> None:
        growing.follow(file)
        for one in islice(made, units):
            file.write(one.file.read_bytes())
            file.flush()
            growing.add(one, [member.rows.encode() for member in one.members])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "cache")

    monkeypatch.setattr(finished, "write_settled", fills_up)
    told: list[str] = []
    built = plain.build(
        tmp_path / "built",
        version="1",
        cache=cache,
        progress=lambda stage, detail: told.append(f"{stage}: {detail}"),
    )
    assert contents(built) == wanted
    assert told[-1] == "cache: warning: nothing more is kept: cache: No space left on device"


def test_builds_at_once_and_prunings_change_nothing(plain: Repository, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    wanted = contents(plain.build(tmp_path / "without", version="1"))
    found: list[list[bytes]] = []

    def work(number: int) -> None:
        for turn in range(2):
            output = tmp_path / f"{number}-{turn}"
            found.append(contents(plain.build(output, version="1", cache=cache)))
            prune(cache, 0 if number else 300_000)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(one == wanted for one in found)
