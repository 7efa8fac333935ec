"""What is on the disk because it is much is read as what is in memory because it is little."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castoff.releaser.agent import ranges
from castoff.releaser.agent.arrivals import Arrivals
from castoff.releaser.agent.columns import Member, Members
from castoff.releaser.agent.entries import NOT_THERE, Entries, in_order
from castoff.releaser.agent.errors import AgentError
from castoff.releaser.agent.index import Index, backwards
from castoff.releaser.agent.links import SharedLinks
from castoff.releaser.agent.numbers import Numbers
from castoff.releaser.agent.ranges import coalesced, members_of
from castoff.releaser.agent.sorting import Sorting
from castoff.releaser.agent.stack import Stack
from castoff.releaser.agent.table import parse_table
from castoff.releaser.agent.texts import Texts
from castoff.releaser.agent.tree import compare, every_file, tree_digest
from castoff.store import canonical
from castoff.store.filetable import compress
from support.agent_client import AgentClient, AgentFailure, open_request
from support.archives import Artifact, make_artifact
from support.sparing import sparing_agent, sparing_modules

from .test_table import HOSTILE

paths = st.lists(st.text("ab/é", min_size=1, max_size=4), max_size=40)


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(-1, 10))
def test_numbers(values: list[int], value: int) -> None:
    with sparing_modules():
        found = Numbers(values)
        assert list(found) == [found[at] for at in range(len(values))] == values
        ascending = Numbers(sorted(values))
        assert ascending.left(value) == bisect_left(sorted(values), value)
        assert ascending.right(value) == bisect_right(sorted(values), value)


@given(paths, st.text("ab/é", max_size=4))
def test_texts(values: list[str], value: str) -> None:
    with sparing_modules():
        for texts in (values, sorted(set(values)), sorted(values)):
            found = Texts(texts)
            assert list(found) == [found[at] for at in range(len(texts))] == texts
            assert list(backwards(found)) == sorted(texts)[::-1]
            index = Index(found)
            for one in (value, *texts):
                row = index.find(one)
                assert (row >= 0) == (one in texts)
                assert row < 0 or texts[row] == one


@given(st.lists(st.tuples(st.integers(0, 9), st.text("ab", max_size=2)), max_size=80))
def test_sorting_and_the_stack(rows: list[tuple[int, str]]) -> None:
    with sparing_modules():
        found = Sorting(rows)
        assert list(found) == list(found) == sorted(rows)
        assert len(found) == len(rows)
        stack, model = Stack(rows[:1]), rows[:1]
        for number, row in enumerate(rows):
            if number % 5 == 4:
                assert stack.pop() == model.pop()
            stack.push(row)
            model.append(row)
        while model:
            assert stack.pop() == model.pop()
        assert not stack


def verdict(data: bytes) -> object:
    """Return all that a table says, or how it is refused."""
    try:
        table = parse_table(data)
    except AgentError as error:
        return error.code
    left = Entries(table)
    entries = list(in_order(table))
    taken = [left.pop(path, NOT_THERE) for path, _ in entries]
    assert taken == [entry for _, entry in entries]
    assert not left
    return (
        entries,
        list(table.members),
        list(table.files),
        list(table.files.in_order()),
        list(table.files.in_order(empty=True)),
        list(members_of(table, range(0, len(table.files), 2))),
        tree_digest(table),
    )


def trees(seed: int) -> Artifact:
    chance = random.Random(seed)
    names = [f"{chance.choice('abcé')}{n}" for n in range(12)]
    files = {
        "/".join([*chance.choices(["x", "y", "z", "x.", "lib"], k=chance.randint(0, 3)), name]): (
            chance.randbytes(chance.choice([0, 9, 1500])),
            chance.random() < 0.3,
        )
        for name in names
        for _ in range(3)
    }
    links = {f"link{n}": chance.choice(list(files)) for n in range(chance.choice([2, 9]))}
    codec = chance.choice(["gzip", "stored"])
    return make_artifact("1.0", files, links=links, codec=codec)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(12))
def test_tables_in_any_order_say_the_same(seed: int) -> None:
    table = json.loads(trees(seed).table_bytes)
    chance = random.Random(seed)
    for kind in ("directories", "files", "links"):
        if seed % 3:
            chance.shuffle(table[kind])
    data = canonical.dumps(table)
    expected = verdict(data)
    assert expected != "invalid"
    with sparing_modules():
        assert verdict(data) == expected


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_tables_are_refused(name: str) -> None:
    files = {f"a/{name}": name.encode() for name in ("one", "two")}
    more = {f"z/{n}": b"z" for n in range(9)}
    artifact = make_artifact("1.0", {**files, **more}, links={f"z/l{n}": "0" for n in range(9)})
    table = json.loads(artifact.table_bytes)
    if table["links"]:
        HOSTILE[name](table)
    data = json.dumps(table, separators=(",", ":")).encode()
    size = len(artifact.archive)
    for _ in range(2):
        with pytest.raises(AgentError) as caught:
            parse_table(data, archive_size=size)
        assert caught.value.code == "invalid"
        with sparing_modules(), pytest.raises(AgentError) as caught:
            parse_table(data, archive_size=size)
        assert caught.value.code == "invalid"


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_members_arrive_in_any_order(wanted: list[bool], chance: random.Random) -> None:
    with sparing_modules(), os.fdopen(os.memfd_create("archive"), "r+b", buffering=0) as file:
        _arrive(wanted, chance, file)


def _arrive(wanted: list[bool], chance: random.Random, file: Any) -> None:
    content = [chance.randbytes(chance.randint(1, 9)) for _ in wanted]
    offsets = [sum(map(len, content[:n])) + 3 * n for n in range(len(content))]
    members = [
        Member(offsets[n], len(data), len(data), _sha256(data), "stored")
        for n, data in enumerate(content)
        if wanted[n]
    ]
    arrivals = Arrivals(file, members)
    left = list(members)
    while left:
        assert list(arrivals.left) == left
        assert not arrivals.complete
        assert arrivals.run_from(0, 1) == (left[0].offset, left[0].offset + left[0].length)
        one = left.pop(chance.randrange(len(left)))
        arrivals.write(one.offset, content[offsets.index(one.offset)])
        arrivals.wait_for(one)
    assert arrivals.complete


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_very_many_ranges_become_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    members = [Member(n * 100_000, 10, 10, "0" * 64, "stored") for n in range(1000)]
    assert len(coalesced(Members(members))) == 1000
    monkeypatch.setattr(ranges, "_MOST", 50)
    found = coalesced(Members(members))
    assert len(found) <= 100
    assert all(any(a <= m.offset and m.offset + m.length <= b for a, b in found) for m in members)


@pytest.fixture(params=[False, True], ids=["usual", "sparing"])
def one_agent(request: pytest.FixtureRequest) -> Iterator[AgentClient]:
    client = AgentClient(source=sparing_agent() if request.param else None)
    yield client
    assert client.close() == b""


def test_releases_are_made_compared_and_removed(one_agent: AgentClient, root: Path) -> None:
    ask = one_agent.ask
    files: dict[str, Any] = {f"{n % 3}/{n:02}": b"%d" % n * 70 for n in range(40)}
    files["big"] = bytes(200_000)
    files |= {f"lib/p/{n:02}.py": (b"%d" % n, n % 2 == 0) for n in range(20)}
    moved = {path.replace("1/", "4/"): content for path, content in files.items()}
    moved["0/00"] = b"something else"
    links = {f"l{n}": "2" for n in range(9)}
    old = make_artifact("1.0", files, links=links, codec="stored")
    new = make_artifact("2.0", moved, links=links, codec="stored")
    ask("open", **open_request(root))
    done = ask("prepare", archive=old.archive, **old.request())
    assert done["tree_sha256"] == old.tree_sha256
    ask("activate", version="1.0", release="r1")
    ask("confirm", version="1.0", release="r1")
    done = ask("prepare", archive=new.archive, **new.told(old))
    assert done["tree_sha256"] == new.tree_sha256
    assert done["fetched"] < len(new.archive) // 4
    ask("activate", version="2.0", release="r2")
    ask("confirm", version="2.0", release="r2")

    release = root / "releases" / "1.0"
    for folder in (release / "0", release / "1"):
        folder.chmod(0o755)
    for n in (3, 6, 9, 12, 15, 18, 21):
        (release / "0" / f"{n:02}").unlink()
    for n in (1, 4, 7, 10, 13, 16, 19):
        (release / "1" / f"{n:02}").chmod(0o666)
    for n in range(8):
        (release / "1" / f"\udcff{n}").mkdir()
    found = ask("verify", version="1.0", most=5)
    assert found["missing"] == [f"0/{n:02}" for n in (3, 6, 9, 12, 15)]
    assert found["changed"] == [f"1/{n:02}" for n in (1, 4, 7, 10, 13)]
    assert found["extra"] == [f"1/\\udcff{n}" for n in range(5)]
    assert found["differing"] == 22
    assert found["tree_sha256"] == digest_of(release, old)

    done = ask("prepare", archive=old.archive, **old.told(new, exact=True, verify=True))
    assert not done["reused"]
    assert ask("verify", version="1.0")["tree_sha256"] == old.tree_sha256
    for version, name in (("1.0", "r3"), ("2.0", "r4")):
        ask("activate", version=version, release=name)
        ask("confirm", version=version, release=name)
    assert ask("prunable", keep=1, never=[])["removed"] == []


def test_a_table_that_is_only_looked_at_comes_in_parts(
    request: pytest.FixtureRequest, one_agent: AgentClient, root: Path
) -> None:
    artifact = trees(5)
    table = compress(artifact.table_bytes)
    told = artifact.request()
    del told["table_z"]
    told["table"] = {"size": len(table), "sha256": _sha256(table), "sources": []}
    one_agent.ask("open", **open_request(root, lock=False))
    one_agent.table = table
    assert one_agent.ask("foresee", **told)["ways"] == {"archive": len(artifact.archive)}
    wanted = [(event["of"], event["length"]) for event in one_agent.events]
    many = "sparing" in request.node.name
    assert len(wanted) == (-(-len(table) // 99) if many else 1)
    assert {of for of, _ in wanted} == {"table"}
    assert sum(length for _, length in wanted) == len(table)
    for wrong in (table[:200], b"\0" * len(table)):
        one_agent.table = wrong
        with pytest.raises(AgentFailure) as caught:
            one_agent.ask("foresee", **told)
        assert caught.value.code == "corrupt"
    one_agent.table = table
    assert one_agent.ask("foresee", **told)["damage"] is None
    assert not root.exists()


def digest_of(release: Path, artifact: Artifact) -> str:
    """Return what identifies a tree as it lies there."""
    table = parse_table(artifact.table_bytes)
    layers = os.fspath(release.parent.parent / "layers")
    nothing = SharedLinks({}, [], [], [], [])
    top = os.fspath(release)
    return tree_digest(table, compare(top, table, nothing, layers=layers, reads=every_file).unlike)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(place)]
    if os.geteuid() != 0 or subprocess.run(words, check=False).returncode != 0:
        pytest.skip("needs the right to mount a small file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_is_full_when_a_table_is_looked_at_is_told(full_disk: Path) -> None:
    root = full_disk / "shop"
    artifact = trees(5)
    table = os.urandom(512 * 1024)
    told = artifact.request()
    del told["table_z"]
    told["table"] = {"size": len(table), "sha256": _sha256(table), "sources": []}
    client = AgentClient(source=sparing_agent())
    client.ask("open", **open_request(root))
    client.ask("open", **open_request(root, lock=False))
    before = os.statvfs(full_disk).f_bavail
    client.table = table
    with pytest.raises(AgentFailure) as caught:
        client.ask("foresee", **told)
    assert caught.value.code == "no-space"
    assert os.statvfs(full_disk).f_bavail == before
    assert client.ask("foresee", **artifact.request())["damage"] is None
    assert client.close() == b""


def test_a_disk_that_is_full_of_what_a_table_says_is_told_once(full_disk: Path) -> None:
    artifact = make_artifact("1.0", {f"d/{n:05}": b"" for n in range(2000)}, codec="stored")
    client = AgentClient(source=sparing_agent())
    root = full_disk / "shop"
    client.ask("open", **open_request(root))
    before = os.statvfs(full_disk).f_bavail
    with pytest.raises(AgentFailure) as caught:
        client.ask("prepare", archive=artifact.archive, **artifact.request())
    assert caught.value.code == "no-space"
    assert "no space left" in caught.value.message
    assert list((root / ".castoff/staging").iterdir()) == []
    assert list((root / "releases").iterdir()) == []
    # Nothing without a name is left either, and the agent goes on.
    assert os.statvfs(full_disk).f_bavail == before
    assert client.close() == b""


def test_nothing_is_left_of_what_a_disk_is_too_full_to_unpack(full_disk: Path) -> None:
    files: dict[str, Any] = {f"d/{n}": bytes(10_000) for n in range(12)}
    artifact = make_artifact("1.0", files)
    client = AgentClient(source=sparing_agent())
    root, other = full_disk / "shop", full_disk / "other"
    client.ask("open", **open_request(root))

    def fill(event: dict[str, Any]) -> None:
        if event["event"] == "want":
            free = os.statvfs(full_disk)
            other.write_bytes(bytes((free.f_bavail - 8) * free.f_bsize))

    client.on_event = fill
    with pytest.raises(AgentFailure) as caught:
        client.ask("prepare", archive=artifact.archive, **artifact.request())
    assert caught.value.code == "no-space"
    held = [entry.readlink() for entry in Path(f"/proc/{client.process.pid}/fd").iterdir()]
    assert [place for place in held if place.is_relative_to(root)] == [root / ".castoff/lock"]
    assert client.close() == b""
