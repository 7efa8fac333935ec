from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from castoff.store.filetable import Codec
from support.agent_client import AgentFailure, Message, agent
from support.archives import Artifact, make_artifact
from support.flaky_http import Answer, flaky_server


def tree_of(folder: Path) -> dict[str, str | bytes]:
    """Return mode and content, or target, of everything in a folder."""
    found: dict[str, str | bytes] = {}
    for path in sorted(folder.rglob("*")):
        mode = f"{path.lstat().st_mode & 0o777:o} "
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_dir():
            found[name] = f"{mode}directory"
        else:
            found[name] = mode.encode() + path.read_bytes()
    return found


def test_the_tree_is_written_as_the_table_says(root: Path, shop: Artifact) -> None:
    with agent(root) as client:
        result = client.ask("prepare", archive=shop.archive, **shop.request())
    assert result == {
        "tree_sha256": shop.tree_sha256,
        "fetched": len(shop.archive),
        "ways": {"archive": len(shop.archive)},
        "reused": False,
        "notes": [],
    }
    assert tree_of(root / "releases/1.0") == {
        "app": "755 directory",
        "app/empty.txt": b"444 ",
        "app/latest": "-> main.py",
        "app/main.py": b"444 print('shop 1.0')\n",
        "app/media": "755 directory",
        "app/static": "755 directory",
        "app/static/größe.css": b"444 " + b"body {}\n" * 400,
        "bin": "755 directory",
        "bin/shop": b"555 #!/bin/sh\necho shop 1.0\n",
    }
    assert not (root / "current").exists()
    assert list((root / ".castoff/staging").iterdir()) == []


@pytest.mark.parametrize("codec", ["gzip", "deflate", "stored"])
@pytest.mark.parametrize("raw_member", [1, 7, 64, 100_000])
def test_every_way_of_packing_gives_the_same_tree(
    codec: Codec, raw_member: int, root: Path
) -> None:
    files = {"a": b"a" * 200, "b/c": b"", "b/d": os.urandom(300), "e": b"e"}
    artifact = make_artifact("1.0", files, codec=codec, raw_member=raw_member)
    with agent(root) as client:
        result = client.ask("prepare", archive=artifact.archive, **artifact.request())
    assert result["tree_sha256"] == artifact.tree_sha256
    assert {path: (root / "releases/1.0" / path).read_bytes() for path in files} == files


def test_a_release_without_any_file_is_possible(root: Path) -> None:
    artifact = make_artifact("1.0", {}, directories=["only"])
    with agent(root) as client:
        client.ask("prepare", archive=artifact.archive, **artifact.request())
    assert tree_of(root / "releases/1.0") == {"only": "755 directory"}


def test_modes_do_not_depend_on_the_umask_nor_names_on_the_locale(
    tmp_path: Path, shop: Artifact
) -> None:
    trees = []
    for number, prefix in enumerate(("umask 077; LC_ALL=C", "umask 0; LC_ALL=en_US.ISO-8859-1")):
        root = tmp_path / str(number)
        python = tmp_path / f"python{number}"
        python.write_text(f'#!/bin/sh\n{prefix} exec python3 "$@"\n')
        python.chmod(0o755)
        with agent(root, python=str(python)) as client:
            client.ask("prepare", archive=shop.archive, **shop.request())
        trees.append(tree_of(root / "releases/1.0"))
    assert trees[0] == trees[1]


def test_the_documents_and_the_interpreter_are_kept_beside_the_release(
    root: Path, shop: Artifact
) -> None:
    with agent(root) as client:
        request = shop.request(interpreter="/usr/bin/python3.11")
        client.ask("prepare", archive=shop.archive, **request)
        kept = root / ".castoff"
        assert (kept / "releases/1.0.manifest.json").read_bytes() == shop.manifest
        assert (kept / "releases/1.0.table.json").read_bytes() == shop.table_bytes
        assert (kept / "python/1.0").readlink() == Path("/usr/bin/python3.11")
        # The host was given another one since.
        client.ask("prepare", **shop.request(interpreter="/opt/python3.11", sources=[]))
        assert (kept / "python/1.0").readlink() == Path("/opt/python3.11")


def test_progress_is_told_in_few_events(root: Path) -> None:
    artifact = make_artifact("1.0", {str(n): os.urandom(2000) for n in range(500)})
    with agent(root) as client:
        client.ask("prepare", archive=artifact.archive, **artifact.request())
        told = [e for e in client.events if e["event"] == "progress"]
    for step in ("fetch", "unpack"):
        events = [e for e in told if e["step"] == step]
        assert 1 <= len(events) <= 101
        assert events[-1]["done"] == events[-1]["total"]
        assert [e["done"] for e in events] == sorted(e["done"] for e in events)


def test_a_damaged_member_is_found_before_it_is_unpacked(root: Path, shop: Artifact) -> None:
    for file in shop.table.files:
        if not file.size:
            continue
        member = shop.table.members[file.member]
        damaged = bytearray(shop.archive)
        damaged[member.offset + member.length // 2] ^= 0x40
        artifact = shop.with_archive(bytes(damaged))
        with agent(root) as client:
            with pytest.raises(AgentFailure) as caught:
                client.ask("prepare", archive=artifact.archive, **artifact.request())
            assert caught.value.code == "corrupt"
            assert "gave other bytes than the manifest names" in caught.value.message
        assert list((root / "releases").iterdir()) == []


def lying_member(raw_length: int, content: bytes) -> Artifact:
    """Return an artifact whose only member holds `content`, and claims another length."""
    import gzip
    import hashlib

    packed = gzip.compress(content, mtime=0)
    artifact = make_artifact("1.0", {"f": b"x" * 100})
    digest = hashlib.sha256(packed).hexdigest()
    file = ["f", 0, 100, hashlib.sha256(b"x" * 100).hexdigest(), 0, 0]
    return artifact.with_table(
        members=[[0, len(packed), raw_length, digest, "gzip"]], files=[file]
    ).with_archive(packed)


@pytest.mark.parametrize(
    ("raw_length", "content", "words"),
    [
        (100, b"x" * 50_000_000, "holds more than it should"),
        (100, b"x" * 101, "holds more than it should"),
        (100, b"x" * 99, "holds less than it should"),
        (100, b"y" * 100, "is not the file that the file table names"),
    ],
)
def test_a_member_that_lies_about_its_content_goes_no_further(
    raw_length: int, content: bytes, words: str, root: Path
) -> None:
    artifact = lying_member(raw_length, content)
    with agent(root) as client, pytest.raises(AgentFailure, match=words) as caught:
        client.ask("prepare", archive=artifact.archive, **artifact.request())
    assert caught.value.code == "corrupt"
    assert list((root / "releases").iterdir()) == []


def test_a_member_with_something_behind_it_is_refused(root: Path) -> None:
    import gzip
    import hashlib

    packed = gzip.compress(b"x" * 100, mtime=0)
    for tail in (gzip.compress(b"more"), b"\0" * 600_000):
        artifact = lying_member(100, b"x" * 100)
        data = packed + tail
        row = [0, len(data), 100, hashlib.sha256(data).hexdigest(), "gzip"]
        artifact = artifact.with_table(members=[row]).with_archive(data)
        with agent(root) as client, pytest.raises(AgentFailure, match="followed by") as caught:
            client.ask("prepare", archive=data, **artifact.request())
        assert caught.value.code == "corrupt"


def test_another_tree_than_the_manifests_is_never_put_in_place(root: Path, shop: Artifact) -> None:
    artifact = shop.with_manifest(tree_sha256="0" * 64)
    with agent(root) as client, pytest.raises(AgentFailure, match="the manifest says") as caught:
        client.ask("prepare", archive=artifact.archive, **artifact.request())
    assert caught.value.code == "corrupt"
    assert list((root / "releases").iterdir()) == []


def test_the_manifest_of_another_version_is_refused(root: Path, shop: Artifact) -> None:
    with agent(root) as client, pytest.raises(AgentFailure) as caught:
        client.ask("prepare", archive=shop.archive, **shop.request(version="1.1"))
    assert caught.value.code == "invalid"


def test_memory_stays_bounded_whatever_the_files_size(root: Path) -> None:
    size = 64 * 1024 * 1024
    artifact = make_artifact("1.0", {"big": bytes(size)}, raw_member=size + 64)
    with agent(root) as client:
        client.ask("prepare", archive=artifact.archive, **artifact.request())
        status = Path(f"/proc/{client.process.pid}/status").read_text()
    peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
    assert peak < 48 * 1024, f"{peak} KiB"


def test_unpacking_goes_on_while_the_rest_is_on_its_way(root: Path) -> None:
    files = {"a": os.urandom(100_000), "b": os.urandom(100_000)}
    artifact = make_artifact("1.0", files, raw_member=16_384)
    unpacked = root / ".castoff/staging/tree/a"
    seen = []

    def look() -> None:
        until = time.monotonic() + 60
        while not (unpacked.exists() and unpacked.stat().st_mode & 0o444 == 0o444):
            if time.monotonic() > until:
                return
            time.sleep(0.01)
        seen.append(unpacked.read_bytes())

    with (
        flaky_server(artifact.archive, Answer(limit=140_000), Answer(first=look)) as server,
        agent(root) as client,
    ):
        sources = [{"kind": "url", "url": server.url()}]
        done = client.ask("prepare", **artifact.request(sources=sources))
    assert done["tree_sha256"] == artifact.tree_sha256
    assert seen == [files["a"]]


@pytest.mark.parametrize("way", ["url", pytest.param("controller", marks=pytest.mark.sweep)])
def test_memory_stays_bounded_however_large_the_archive_and_many_the_files(
    way: str, root: Path
) -> None:
    block = os.urandom(1024 * 1024)
    many = {f"many/{n:05}.py": b"%d" % n for n in range(10_000)}
    artifact = make_artifact("1.0", {"big": block * 72, **many}, codec="stored")
    assert len(artifact.archive) > 72 * 1024 * 1024
    with flaky_server(artifact.archive) as server, agent(root) as client:
        source = {"kind": way, "url": server.url()}
        client.ask("prepare", archive=artifact.archive, **artifact.request(sources=[source]))
        status = Path(f"/proc/{client.process.pid}/status").read_text()
    peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
    assert peak < 64 * 1024, f"{peak} KiB"


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a small file system")
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k,nr_inodes=60", "tmpfs", str(place)], check=False
    )
    if done.returncode != 0:
        pytest.skip("needs the right to mount a small file system")
    return place


@pytest.fixture
def full_disk(small_disk: Path) -> Iterator[Path]:
    yield small_disk
    subprocess.run(["umount", "-l", str(small_disk)], check=True)


def test_too_little_space_is_found_before_the_fetch(full_disk: Path) -> None:
    artifact = make_artifact("1.0", {"f": bytes(600_000)})
    with agent(full_disk / "shop") as client:
        with pytest.raises(AgentFailure, match="MB needed") as caught:
            client.ask("prepare", archive=artifact.archive, **artifact.request())
        assert caught.value.code == "no-space"
        assert client.events == []


def test_too_few_inodes_are_found_before_the_fetch(full_disk: Path) -> None:
    artifact = make_artifact("1.0", {str(n): b"x" for n in range(60)})
    with agent(full_disk / "shop") as client:
        with pytest.raises(AgentFailure, match="inodes free") as caught:
            client.ask("prepare", archive=artifact.archive, **artifact.request())
        assert caught.value.code == "no-space"
        assert client.events == []


def test_a_disk_that_fills_up_meanwhile_leaves_nothing_behind(full_disk: Path) -> None:
    artifact = make_artifact("1.0", {"f": os.urandom(100_000)})
    filler = full_disk / "filler"

    def fill(event: Message) -> None:
        if event["event"] == "want":
            filler.write_bytes(bytes(420_000))

    with agent(full_disk / "shop") as client:
        client.on_event = fill
        with pytest.raises(AgentFailure) as caught:
            client.ask("prepare", archive=artifact.archive, **artifact.request())
        assert caught.value.code == "no-space"
        assert list((full_disk / "shop/releases").iterdir()) == []
        filler.unlink()
        client.on_event = lambda _: None
        result = client.ask("prepare", archive=artifact.archive, **artifact.request())
        assert result["tree_sha256"] == artifact.tree_sha256


def test_a_disk_that_fills_half_way_is_given_back_what_had_come(full_disk: Path) -> None:
    first = make_artifact("1.0", {"a": os.urandom(20_000)}, raw_member=8_192)
    files = {"a": b"", "b": os.urandom(50_000), "c": os.urandom(50_000)}
    artifact = make_artifact("2.0", files, raw_member=8_192)
    filler = full_disk / "filler"

    def fill() -> None:
        left = os.statvfs(full_disk)
        filler.write_bytes(bytes(left.f_bavail * left.f_frsize))

    cut = Answer(limit=40_000)
    with (
        flaky_server(artifact.archive, cut, Answer(first=fill), Answer()) as server,
        agent(full_disk / "shop") as client,
    ):
        client.ask("prepare", archive=first.archive, **first.request())
        client.ask("activate", version="1.0", release="r1")
        source = {"kind": "url", "url": server.url()}
        with pytest.raises(AgentFailure) as caught:
            client.ask("prepare", **artifact.request(sources=[source]))
        assert caught.value.code == "no-space"
        assert len(server.asked) == 2
        assert list((full_disk / "shop/.castoff/staging").iterdir()) == []
        assert (full_disk / "shop/current/a").stat().st_size == 20_000
        filler.unlink()
        done = client.ask("prepare", **artifact.request(sources=[source]))
        assert done["tree_sha256"] == artifact.tree_sha256


def test_the_journal_tells_what_was_done_and_what_failed(root: Path, shop: Artifact) -> None:
    with agent(root) as client:
        with pytest.raises(AgentFailure):
            client.ask("prepare", **shop.request(sources=[]))
        client.ask("prepare", archive=shop.archive, **shop.request())
        lines = (root / ".castoff/journal.jsonl").read_text().splitlines()
    noted = [{k: v for k, v in json.loads(line).items() if k != "time"} for line in lines]
    common = {"what": "prepare", "release": "r1", "version": "1.0", "name": None}
    assert noted == [{**common, "outcome": "missing"}, {**common, "outcome": "done"}]
