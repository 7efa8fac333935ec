"""Hosts make files of a patch; one that is of no use costs its bytes and nothing else."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sys
import types
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from backports import zstd
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from castoff.builder.patches.frames import MOST_CONTENT, MOST_REFERENCE
from castoff.builder.patches.make import compressed
from castoff.builder.patches.pairs import pairs
from castoff.releaser.agent import patch as patch_module
from castoff.releaser.agent.index import Index
from castoff.releaser.agent.layout import Layout
from castoff.releaser.agent.pace import Pace
from castoff.releaser.agent.parameters import Parameters
from castoff.releaser.agent.patch import Patch, offered
from castoff.releaser.agent.patching import Patching
from castoff.releaser.agent.raw_table import RawFiles, divided
from castoff.releaser.agent.table import parse_table
from castoff.releaser.agent.unzstd import by_program, by_python, find_unpacker
from castoff.releaser.agent.writer import TreeWriter
from castoff.releaser.bundle import bundle
from support.agent_client import AgentClient, agent, open_request
from support.archives import Artifact, Content, make_artifact
from support.fetching import QuietChannel
from support.flaky_http import Answer, flaky_server
from support.patched import MadePatch, make_patch

pytestmark = pytest.mark.skipif(
    shutil.which("zstd") is None, reason="needs zstd (Debian package zstd)"
)

_DICE = random.Random(1)
TEXT = [_DICE.randbytes(40_000) for _ in range(12)]
OLD_FILES = {f"lib/{n:02}.bin": text for n, text in enumerate(TEXT)}
OLD_FILES["app/main-1.0.py"] = _DICE.randbytes(50_000)
NEW_FILES = {path: text + b"more" if "0" in path[4:6] else text for path, text in OLD_FILES.items()}
NEW_FILES["app/main-1.1.py"] = b"new" + NEW_FILES.pop("app/main-1.0.py")
OLD = make_artifact("1.0", OLD_FILES, raw_member=32_768)
NEW = make_artifact("2.0", NEW_FILES, raw_member=32_768)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadePatch:
    return make_patch(OLD, NEW, tmp_path_factory.mktemp("patch"))


def with_old(client: AgentClient) -> AgentClient:
    client.ask("prepare", archive=OLD.archive, **OLD.request())
    client.ask("activate", version="1.0", release="r1")
    client.ask("confirm", version="1.0", release="r1")
    return client


@pytest.fixture
def client(root: Path) -> Iterator[AgentClient]:
    """An agent on a host that has the old release."""
    with agent(root) as opened:
        yield with_old(opened)


def check(root: Path, client: AgentClient, prepared: dict[str, Any]) -> None:
    assert prepared["tree_sha256"] == NEW.tree_sha256
    found = client.ask("verify", version="2.0")
    assert found["tree_sha256"] == NEW.tree_sha256
    assert not found["changed"] + found["missing"] + found["extra"]
    assert not list((root / ".castoff/staging").iterdir())


def url(server: Any) -> dict[str, str]:
    return {"kind": "url", "url": server.url()}


def test_a_patch_is_all_that_is_fetched(root: Path, client: AgentClient, made: MadePatch) -> None:
    with flaky_server(made.data) as patches, flaky_server(NEW.archive) as archives:
        request = NEW.request(sources=[url(archives)], **made.offer(url(patches)))
        foreseen = client.ask("foresee", **request)
        done = client.ask("prepare", **request)
        assert len(patches.asked) == 1
        assert not archives.asked
    check(root, client, done)
    assert foreseen["ways"] == done["ways"] == {"patch": len(made.data)}
    assert len(made.data) < 1000
    assert not done["notes"]


def test_the_controller_gives_a_patch_too(root: Path, client: AgentClient, made: MadePatch) -> None:
    client.patch = made.data
    done = client.ask("prepare", **NEW.request(**made.offer()))
    check(root, client, done)
    assert done["ways"] == {"patch": len(made.data)}


def test_a_broken_download_of_a_patch_goes_on(
    root: Path, client: AgentClient, made: MadePatch
) -> None:
    with flaky_server(made.data, Answer(limit=100), Answer()) as patches:
        done = client.ask("prepare", **NEW.request(**made.offer(url(patches))))
        assert [wanted for _, wanted in patches.asked] == [None, "bytes=100-"]
    check(root, client, done)


def lying(made: MadePatch, tmp_path: Path) -> MadePatch:
    """Return a patch to other content of the same lengths, with its digest said truly."""
    other = {path: data[:-1] + bytes([data[-1] ^ 1]) for path, data in NEW_FILES.items()}
    false = make_patch(OLD, make_artifact("2.0", other, raw_member=32_768), tmp_path)
    return MadePatch(false.data, {**false.said, "new": made.said["new"], "old": made.said["old"]})


def bad_patches(made: MadePatch, tmp_path: Path) -> dict[str, MadePatch]:
    def renamed(data: bytes, **changes: Any) -> MadePatch:
        digest = hashlib.sha256(data).hexdigest()
        return MadePatch(data, {**made.said, "size": len(data), "sha256": digest, **changes})

    (length, size, start, span), *_ = made.said["frames"]
    half = made.data[: length // 2]
    long = zstandard.compress(bytes(size + 10))
    return {
        "other bytes": MadePatch(made.data[:-1] + b"?", made.said),
        "missing": MadePatch(b"", made.said),
        "cut off": renamed(half, frames=[[len(half), size, start, span]]),
        "no frame": renamed(b"x" * length),
        "more than it says": renamed(long, frames=[[len(long), size, start, span]]),
        "other old files": renamed(made.data, old=[[0, 1], *made.said["old"][:-1], [1, 1]]),
        "another's content": lying(made, tmp_path),
    }


@pytest.mark.parametrize(
    "wrong",
    [
        "other bytes",
        "missing",
        "cut off",
        "no frame",
        "more than it says",
        "other old files",
        "another's content",
    ],
)
def test_a_patch_that_is_wrong_falls_through_to_parts_of_the_archive(
    wrong: str, root: Path, client: AgentClient, made: MadePatch, tmp_path: Path
) -> None:
    bad = bad_patches(made, tmp_path)[wrong]
    client.patch = bad.data
    with flaky_server(NEW.archive) as archives:
        done = client.ask("prepare", **NEW.request(sources=[url(archives)], **bad.offer()))
        assert archives.asked
        assert all(wanted for _, wanted in archives.asked)
    check(root, client, done)
    assert done["ways"]["ranges"] > 1000
    assert done["ways"].get("patch", 0) <= len(bad.data)
    assert not done["notes"] or "the patch from 1.0 was of no use" in done["notes"][0]


@pytest.mark.parametrize(
    "changes",
    [
        {"base": "0.9"},
        {"size": -1},
        {"sha256": "x"},
        {"old": None},
        {"old": [[0, 99]]},
        {"new": [[-1, 2]]},
        {"new": [[0, 1]] * 99},
        {"frames": []},
        {"frames": [[1, 2, 3]]},
        {"frames": "aa"},
    ],
)
def test_what_is_said_of_a_patch_is_not_trusted(
    changes: dict[str, Any], host: Layout, made: MadePatch
) -> None:
    files = parse_table(NEW.table_bytes).files
    for rows in (files, RawFiles(divided(NEW.table_bytes).files)):
        assert offered(host, Parameters(made.offer()), rows) is not None
        assert offered(host, Parameters(made.offer(**changes)), rows) is None


def test_a_frame_that_would_take_much_memory_is_not_begun(
    host: Layout, made: MadePatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patch_module, "MOST_OF_A_FRAME", 490_000)
    assert offered(host, Parameters(made.offer()), parse_table(NEW.table_bytes).files) is None


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """A host that has the old release."""
    root = tmp_path_factory.mktemp("host") / "shop"
    with agent(root) as opened:
        with_old(opened)
    return Layout(str(root))


def test_an_old_file_that_was_damaged_costs_a_fetch(
    root: Path, client: AgentClient, made: MadePatch
) -> None:
    path = root / "releases/1.0/lib/00.bin"
    path.chmod(0o644)
    path.write_bytes(bytes(len(TEXT[0])))
    path.chmod(0o444)
    client.patch = made.data
    done = client.ask("prepare", archive=NEW.archive, **NEW.request(**made.offer()))
    check(root, client, done)
    assert sorted(done["ways"]) == ["patch", "ranges"]


def test_a_patch_that_saves_nothing_is_left(
    root: Path, client: AgentClient, made: MadePatch
) -> None:
    heavy = made.offer(
        size=len(NEW.archive), frames=[[len(NEW.archive), *made.said["frames"][0][1:]]]
    )
    done = client.ask("prepare", archive=NEW.archive, **NEW.request(**heavy))
    check(root, client, done)
    assert list(done["ways"]) == ["ranges"]
    assert not done["notes"]


def fake_zstd(folder: Path, text: str) -> dict[str, str]:
    """Return variables with a PATH where `zstd` is this script, or is missing if that is empty."""
    folder.mkdir()
    if text:
        script = folder / "zstd"
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o755)
    return {"PATH": str(folder)}


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="needs no program")
@pytest.mark.parametrize(
    "text", ["", "echo '*** zstd command line interface v1.4.4 ***'", "exit 1"]
)
def test_a_host_without_a_program_that_can_loses_nothing(
    text: str, root: Path, tmp_path: Path, made: MadePatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    interpreter = sys.executable
    monkeypatch.setenv("PATH", fake_zstd(tmp_path / "bin", text)["PATH"])
    with agent(root, python=interpreter) as client, flaky_server(made.data) as patches:
        with_old(client)
        request = NEW.request(**made.offer(url(patches)))
        assert list(client.ask("foresee", **request)["ways"]) == ["ranges"]
        done = client.ask("prepare", archive=NEW.archive, **request)
        assert not patches.asked
        check(root, client, done)
    assert list(done["ways"]) == ["ranges"]
    assert not done["notes"]


# Of one frame as large as pushes make them.
_BEFORE = _DICE.randbytes(MOST_REFERENCE)
_AFTER = b"new" + _BEFORE[1_000 : MOST_CONTENT + 997]


def test_the_program_needs_little_memory(tmp_path: Path) -> None:
    limited = fake_zstd(tmp_path / "bin", 'ulimit -v 65536; exec /usr/bin/zstd "$@"')
    program = f"{limited['PATH']}/zstd"
    frame = compressed(_AFTER, _BEFORE)
    blocks = by_program(program, str(tmp_path), [_BEFORE], [frame])
    assert hashlib.sha256(b"".join(blocks)).digest() == hashlib.sha256(_AFTER).digest()
    assert len(frame) < 2000


# An agent on Python 3.14, as far as `compression.zstd` goes.
_NEWER = f"""
import sys, types
sys.path.insert(0, {os.fspath(Path(zstd.__file__).parents[2])!r})
from backports import zstd
sys.modules["compression"] = types.ModuleType("compression")
sys.modules["compression"].zstd = zstd
exec(compile(zlib.decompress(%r), "castoff-agent", "exec"))
"""


def newer_agent(root: Path) -> AgentClient:
    """Return an agent that has no program `zstd`, and needs none."""
    source = zlib.compress((_NEWER % bundle()).encode())
    client = AgentClient(env={"PATH": "/nowhere"}, source=source)
    client.ask("open", **open_request(root))
    return client


@pytest.mark.parametrize("way", ["program", "python"])
def test_a_host_needs_little_memory(way: str, root: Path, tmp_path: Path) -> None:
    noise = random.Random(5).randbytes(14 * 1024 * 1024)
    files: dict[str, Content] = {f"lib/{n}": b"%d" % n for n in range(1000)}
    old = make_artifact("1.0", {**files, "big": noise}, raw_member=1024 * 1024)
    new = make_artifact("2.0", {**files, "big": b"new" + noise}, raw_member=1024 * 1024)
    made = make_patch(old, new, tmp_path)
    client = newer_agent(root) if way == "python" else AgentClient()
    if way == "program":
        client.ask("open", **open_request(root))
    client.ask("prepare", archive=old.archive, **old.request())
    client.patch = made.data
    done = client.ask("prepare", **new.request(**made.offer()))
    status = Path(f"/proc/{client.process.pid}/status").read_text()
    assert client.close() == b""
    assert done["tree_sha256"] == new.tree_sha256
    assert done["ways"] == {"patch": len(made.data)}
    assert len(made.said["frames"]) > 3
    assert len(made.data) < 2000
    peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
    assert peak < 64 * 1024, f"{peak} KiB"


@pytest.mark.parametrize("way", ["program", "python"])
def test_a_frame_that_wants_more_memory_is_refused(way: str, tmp_path: Path) -> None:
    wide = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters.from_level(
            3, window_log=27, write_content_size=0
        )
    )
    machine = wide.compressobj()
    frame = machine.compress(b"x" * 500_000) + machine.flush()
    blocks = (
        by_program("/usr/bin/zstd", str(tmp_path), [], [frame])
        if way == "program"
        else by_python(zstd, [], [frame])
    )
    with pytest.raises(Exception, match="cannot be unpacked"):
        list(blocks)


def test_frames_that_pushes_make_are_those_that_agents_take() -> None:
    assert max(MOST_CONTENT, MOST_REFERENCE) <= patch_module.MOST_OF_A_FRAME


Unpack = Callable[[Iterable[bytes], Iterable[bytes]], Iterator[bytes]]
CONTENT = st.one_of(
    st.binary(max_size=40),
    st.builds(
        lambda n, seed: random.Random(seed).randbytes(n), st.integers(0, 9000), st.integers(0, 9)
    ),
)
FILES = st.dictionaries(
    st.sampled_from(
        [f"{folder}{name}" for folder in ("", "a/", "b-1.2/", "b-1.3/") for name in "xyz"]
    ),
    st.tuples(CONTENT, st.booleans()),
    max_size=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(old=FILES, new=FILES, kept=st.sets(st.integers(0, 11)), small=st.booleans(), data=st.data())
def test_any_tree_comes_of_any_other(
    old: dict[str, tuple[bytes, bool]],
    new: dict[str, tuple[bytes, bool]],
    kept: set[int],
    small: bool,
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("trees")
    for number, (path, entry) in enumerate(sorted(old.items())):
        if number in kept:
            new = {**new, path: data.draw(edited(entry))}
    before, after = make_artifact("1", old), make_artifact("2", new)
    assume(pairs(before.table, after.table))
    with pytest.MonkeyPatch.context() as patching:
        if small:
            patching.setattr("castoff.builder.patches.frames.MOST_CONTENT", 700)
            patching.setattr("castoff.builder.patches.frames.MOST_REFERENCE", 900)
        made = make_patch(before, after, folder)
    write(folder / "old", before, old)
    there = {(f.sha256, f.executable) for f in before.table.files}
    done = {f.path for f in after.table.files if (f.sha256, f.executable) in there or not f.size}

    given = applied(folder, made, before, after, done)

    assert not given.complaints
    paths = {
        path for path, is_made in zip(given.patch.new.paths, given.made, strict=True) if is_made
    }
    assert paths == {f.path for f in after.table.files} - done
    for path in paths:
        assert (folder / "new" / path).read_bytes() == new[path][0]
        assert bool((folder / "new" / path).stat().st_mode & 0o100) == new[path][1]


@st.composite
def edited(draw: st.DrawFn, entry: tuple[bytes, bool]) -> tuple[bytes, bool]:
    content, executable = entry
    at = draw(st.integers(0, len(content)))
    return content[:at] + draw(st.binary(max_size=9)) + content[at:], executable


def write(top: Path, artifact: Artifact, files: dict[str, tuple[bytes, bool]]) -> None:
    top.mkdir()
    for folder in artifact.table.directories:
        (top / folder).mkdir()
    for path, (content, _) in files.items():
        (top / path).write_bytes(content)


def applied(
    folder: Path,
    made: MadePatch,
    old: Artifact,
    new: Artifact,
    done: set[str],
    unpack: Unpack = lambda before, frame: by_python(zstd, before, frame),
) -> Patching:
    (folder / "patch").write_bytes(made.data)
    (folder / "new").mkdir()
    chosen = {
        side: parse_table(artifact.table_bytes).files.picked(
            row for first, count in made.said[side] for row in range(first, first + count)
        )
        for side, artifact in (("old", old), ("new", new))
    }
    patch = Patch(
        "1",
        os.fspath(folder / "old"),
        made.said["size"],
        made.said["sha256"],
        chosen["old"],
        chosen["new"],
        Index(chosen["new"].paths),
        [patch_module.Frame(*frame) for frame in made.said["frames"]],
        [Parameters({"kind": "file", "path": str(folder / "patch")})],
    )
    patching = Patching(patch, str(folder / "work"), unpack)
    with TreeWriter(str(folder / "new")) as writer:
        for path in new.table.directories:
            writer.directory(path)
        rows = bytearray(path in done for path in patch.new.paths)
        patching.run(QuietChannel(), Pace(0), writer, rows)
    assert not (folder / "work").exists()
    return patching


def test_too_little_memory_is_no_error(tmp_path: Path) -> None:
    def unpack(_before: Iterable[bytes], _frame: Iterable[bytes]) -> Iterator[bytes]:
        yield b"n"
        raise MemoryError

    old: dict[str, tuple[bytes, bool]] = {"a": (b"old", False)}
    before, after = make_artifact("1", old), make_artifact("2", {"a": b"new"})
    made = make_patch(before, after, tmp_path)
    write(tmp_path / "old", before, old)

    given = applied(tmp_path, made, before, after, set(), unpack)

    assert not any(given.made)
    assert "too little memory" in given.complaints[0]
    assert list((tmp_path / "new").iterdir()) == []


def test_both_ways_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_unpacker(str(tmp_path)) is not None
    newer = types.ModuleType("compression")
    newer.zstd = zstd  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "compression", newer)
    monkeypatch.setenv("PATH", "/nowhere")
    unpack = find_unpacker(str(tmp_path))
    assert unpack is not None
    assert b"".join(unpack([], [zstandard.compress(b"hello")])) == b"hello"
