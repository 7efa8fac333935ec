"""A push makes patches from what was good lately, and nothing of them is ever in the way."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from castoff.builder.patches import frames
from castoff.builder.patches.frames import Cut, cuts
from castoff.builder.patches.pairs import pairs
from castoff.builder.patches.push import push_patches
from castoff.releaser.retention.good_releases import last_good
from castoff.store import artifacts, channel, history, keys, patch
from castoff.store.errors import ObjectMissing
from castoff.store.file import FileStore
from castoff.store.garbage import Terms, collect
from castoff.store.history import Draft
from castoff.store.local_artifact import LocalArtifact
from support.archives import Content, make_artifact
from support.written_artifact import write_artifact

APP = "shop"
_DICE = random.Random(3)
NOISE: dict[str, Content] = {f"lib/{n}.bin": _DICE.randbytes(90_000) for n in range(6)}


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "store", url="file://store")


def push(store: FileStore, folder: Path, version: str) -> LocalArtifact:
    files = {**NOISE, "app/main.py": version.encode(), "lib/0.bin": one_line(version)}
    artifact = write_artifact(folder / "artifacts", APP, version, files)
    artifacts.push(store, artifact)
    return artifact


def one_line(version: str) -> bytes:
    noise = NOISE["lib/0.bin"]
    assert isinstance(noise, bytes)
    return noise[:40_000] + version.encode() + noise[40_000:]


def release(store: FileStore, environment: str, version: str, *, outcome: str = "released") -> None:
    draft = {
        "kind": "release",
        "version": version,
        "from_version": None,
        "outcome": outcome,
        "who": "ann@desk",
        "started": 1.0,
        "ended": 2.0,
        "commit": "c",
        "detail": "",
        "activation_seconds": None,
        "hosts": (),
    }
    history.append(store, APP, environment, Draft.model_validate(draft))


def test_a_push_makes_the_patches_that_are_not_there_yet(store: FileStore, tmp_path: Path) -> None:
    for version in ("1", "2"):
        push(store, tmp_path, version)
    artifact = push(store, tmp_path, "3")

    made = push_patches(store, artifact, ["2", "1", "0", "3"])

    assert [one.base for one in made] == ["2", "1"]
    assert all(one.size is not None and one.size < 300 < one.instead_of for one in made)
    assert sorted(patch.bases(store, APP, "3")) == ["1", "2"]
    assert push_patches(store, artifact, ["2", "1"]) == ()
    said = patch.read(store, APP, "3", "2")
    path = tmp_path / "got"
    store.download(keys.patch_blob(APP, "3", "2", said.sha256), path, sha256=said.sha256)
    assert path.stat().st_size == said.size


def test_a_patch_that_spares_nothing_is_not_kept(store: FileStore, tmp_path: Path) -> None:
    push(store, tmp_path, "1")
    other = write_artifact(tmp_path / "artifacts", APP, "2", {"new": _DICE.randbytes(200_000)})
    artifacts.push(store, other)

    (made,) = push_patches(store, other, ["1"])

    assert made.size is None
    assert made.why_not
    assert patch.bases(store, APP, "2") == []
    with pytest.raises(ObjectMissing):
        patch.read(store, APP, "2", "1")


def test_a_damaged_old_archive_costs_a_patch_and_no_push(store: FileStore, tmp_path: Path) -> None:
    old = push(store, tmp_path, "1")
    artifact = push(store, tmp_path, "2")
    key = keys.blob(APP, "1", old.manifest.archive.name)
    for path in (old.archive, store.local_path(key)):
        assert path is not None
        path.chmod(0o644)
        path.write_bytes(b"?" * old.manifest.archive.size)

    (made,) = push_patches(store, artifact, ["1"])

    assert made.size is None
    assert "archive" in made.why_not


def test_patches_leave_with_their_version(store: FileStore, tmp_path: Path) -> None:
    push(store, tmp_path, "1")
    push_patches(store, push(store, tmp_path, "2"), ["1"])
    for _ in range(2):
        collect(store, APP, lambda: {"1": "live"}, Terms(grace=-1, now=2e9))
    assert not list(store.entries(keys.patches(APP, "2")))
    assert list(store.entries(f"{keys.artifacts(APP)}1/"))


def test_what_is_live_anywhere_comes_before_what_was_good(store: FileStore) -> None:
    for version in ("1", "2", "3"):
        release(store, "production", version)
    channel.advance(store, APP, "production", None, current="3", previous="2", release="r")
    release(store, "production", "4", outcome="failed")
    release(store, "staging", "5")

    assert last_good(store, APP, 9) == ["3", "5", "2", "1"]
    assert last_good(store, APP, 2) == ["3", "5"]
    assert last_good(store, APP, 0) == []


def test_each_file_has_the_predecessor_that_it_is_most_like() -> None:
    old = make_artifact(
        "1",
        {
            "a": b"same",
            "b": b"old",
            "static/app.0123456789abcdef.js": b"js",
            "lib/Django-5.1.2.dist-info/RECORD": b"record",
            "lib/old_place/tool.py": b"tool",
            "x/__init__.py": b"gone",
        },
    ).table
    new = make_artifact(
        "2",
        {
            "a": b"same",
            "b": (b"old", True),
            "static/app.fedcba9876543210.js": b"js 2",
            "lib/Django-5.2.dist-info/RECORD": b"record 2",
            "lib/new_place/tool.py": b"tool 2",
            "fresh": b"f",
            "empty": b"",
        },
    ).table
    named = {
        new.files[pair.new].path: None if pair.old is None else old.files[pair.old].path
        for pair in pairs(old, new)
    }
    assert named == {
        "b": "b",
        "static/app.fedcba9876543210.js": "static/app.0123456789abcdef.js",
        "lib/Django-5.2.dist-info/RECORD": "lib/Django-5.1.2.dist-info/RECORD",
        "lib/new_place/tool.py": "lib/old_place/tool.py",
        "fresh": None,
    }
    assert pairs(new, new) == []


def test_frames_are_never_too_large_and_leave_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_CONTENT", 100)
    monkeypatch.setattr(frames, "MOST_REFERENCE", 150)
    sizes = [(30, 20), (60, 0), (20, 140), (350, 330), (5, 400), (7, 7), (0, 0), (90, 90)]
    found = list(cuts(sizes))
    assert sum(cut.size for cut in found) == sum(new for new, _ in sizes)
    assert all(cut.size <= 100 and cut.span <= 150 for cut in found)
    assert all(cut.start + cut.span <= sum(old for _, old in sizes) for cut in found)
    assert [cut.start for cut in found] == sorted(cut.start for cut in found)
    # A slice of a large file lies in the middle of what it is made against.
    assert Cut(100, 160 + 66, 150) in found
