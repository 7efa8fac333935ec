"""Hosts are offered the smallest patch from what they have, and do without what is of no use."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castoff.builder.patches.push import push_patches
from castoff.releaser.job import Scope
from castoff.releaser.release import look_ahead, resolve
from castoff.releaser.sources import BlobSources
from castoff.store import artifacts, history, keys, patch
from castoff.store.backend import Entry
from castoff.store.errors import CastoffError, StoreError
from castoff.store.file import FileStore
from castoff.store.outcomes import Way
from castoff.store.take import take
from support.archives import Content
from support.engine import go
from support.local_scope import APP, make_scope
from support.site import Site
from support.written_artifact import write_artifact

pytestmark = pytest.mark.skipif(
    shutil.which("zstd") is None, reason="needs zstd (Debian package zstd)"
)

_DICE = random.Random(11)
NOISE: dict[str, Content] = {f"lib/{n}.bin": _DICE.randbytes(60_000) for n in range(6)}


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    """Return a scope with versions a, b and c, of which c has patches from both others."""
    return make_versions(tmp_path, hosts=1)


def make_versions(tmp_path: Path, **environment: Any) -> Scope:
    """Return such a scope with as many hosts as wanted."""
    scope = make_scope(tmp_path, [], **environment)
    for version, changed in (("a", 3), ("b", 1), ("c", 2)):
        lines = {f"lib/{n}.bin": NOISE[f"lib/{n}.bin"] for n in range(6)}
        for n in range(changed):
            lines[f"lib/{n}.bin"] = _DICE.randbytes(500) + _raw(f"lib/{n}.bin")
        artifact = write_artifact(tmp_path / "artifacts", APP, version, lines)
        artifacts.push(scope.store, artifact)
        if version == "c":
            assert all(one.size for one in push_patches(scope.store, artifact, ["a", "b"]))
    return scope


def _raw(path: str) -> bytes:
    content = NOISE[path]
    assert isinstance(content, bytes)
    return content


def fetched(scope: Scope) -> dict[Way, int]:
    (newest, *_) = history.entries(scope.store, APP, "production", limit=1)
    return dict(newest.hosts[0].fetched or {})


def files(scope: Scope, ending: str) -> dict[str, Path]:
    prefix = keys.patches(APP, "c")
    found = {}
    for entry in scope.store.entries(prefix):
        path = scope.store.local_path(entry.key)
        assert path is not None
        if entry.key.endswith(ending):
            found[entry.key.removeprefix(prefix)[0]] = path
    return found


def test_a_host_gets_the_smallest_patch_from_what_lies_there(scope: Scope) -> None:
    sizes = {base: path.stat().st_size for base, path in files(scope, ".zst").items()}
    go(scope, "release", "a")
    go(scope, "release", "b")
    go(scope, "release", "c")
    assert fetched(scope) == {"patch": min(sizes.values())}
    assert len(set(sizes.values())) == 2


def test_a_host_gets_one_from_whatever_it_has(scope: Scope) -> None:
    go(scope, "release", "a")
    (host,) = look_ahead(resolve(scope, "release", "c")).hosts
    go(scope, "release", "c")
    assert fetched(scope) == host.ways == {"patch": files(scope, ".zst")["a"].stat().st_size}


@pytest.mark.parametrize("ending", [".json", ".zst"])
def test_one_that_is_gone_or_damaged_is_none(scope: Scope, ending: str) -> None:
    go(scope, "release", "a")
    for path in files(scope, ending).values():
        path.chmod(0o644)
        path.write_text("{}")
    go(scope, "release", "c")
    assert "ranges" in fetched(scope) or "archive" in fetched(scope)


class Silent(FileStore):
    """A store that does not say which patches there are."""

    def entries(self, prefix: str) -> Iterator[Entry]:
        if "/patches/" in prefix:
            raise StoreError("no listing")
        return super().entries(prefix)


def test_a_store_that_does_not_say_has_none(scope: Scope, tmp_path: Path) -> None:
    silent = replace(scope, store=Silent(tmp_path / "store", url="file://store"))
    go(silent, "release", "a")
    go(silent, "release", "c")
    assert set(fetched(scope)) <= {"ranges", "archive"}


def test_the_store_sends_each_patch_into_a_zone_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    read = BlobSources.read

    def counted(self: BlobSources, offset: int, length: int) -> Iterator[bytes]:
        for block in read(self, offset, length):
            sent.append(len(block))
            yield block

    scope = make_versions(tmp_path, hosts=6, transfer={"peers": True})
    zones = ("rack", "rack", "rack", "rack", "other", None)
    hosts = tuple(replace(host, zone=zone) for host, zone in zip(scope.hosts, zones, strict=True))
    go(replace(scope, hosts=hosts[:2]), "release", "b")
    go(replace(scope, hosts=hosts[2:]), "release", "a")
    sizes = {base: path.stat().st_size for base, path in files(scope, ".zst").items()}
    monkeypatch.setattr(BlobSources, "read", counted)
    monkeypatch.setattr(FileStore, "local_path", lambda _self, _key: None)
    go(replace(scope, hosts=hosts), "release", "c")
    (newest, *_) = history.entries(scope.store, APP, "production", limit=1)
    assert [host.fetched for host in newest.hosts] == [
        {"patch": sizes["b"]},
        {"patch": 0, "peer": sizes["b"]},
        {"patch": sizes["a"]},
        {"patch": 0, "peer": sizes["a"]},
        {"patch": sizes["a"]},
        {"patch": sizes["a"]},
    ]
    assert sum(sent) == sizes["b"] + 3 * sizes["a"]


def test_a_mirror_counts_the_patches_that_came_before_one_that_is_damaged(
    scope: Scope, tmp_path: Path
) -> None:
    damaged = files(scope, ".zst")["b"]
    damaged.chmod(0o644)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"!")
    place = scope.store.local_path(keys.manifest(APP, "c"))
    assert place is not None
    site = Site(tmp_path / "site")
    store = Path(str(place).removesuffix(keys.manifest(APP, "c"))).as_uri()
    site.write({"castoff.toml": f'[store]\nurl = "{store}"\n[apps.{APP}]\n'})
    told = site.castoff("mirror", "--to", (tmp_path / "other").as_uri(), "--json")
    assert told.code == 0, told.err
    assert told.json["copied"][-3:] == ["a", "b", "c"]
    assert told.json["patches"] == {"c": ["a"]}
    assert told.json["patches_trouble"].keys() == {"c"}
    assert told.json["patches_trouble"]["c"] in told.err


def test_a_mirror_gets_the_patches_from_versions_that_it_has(scope: Scope, tmp_path: Path) -> None:
    other = FileStore(tmp_path / "other", url="file://other")
    for version in ("b", "c"):
        folder = tmp_path / "taken" / version
        folder.mkdir(parents=True)
        artifacts.push(other, take(scope.store, APP, version, folder))
    way = tmp_path / "way"
    way.mkdir()
    damaged = files(scope, ".zst")["b"]
    right = damaged.read_bytes()
    damaged.chmod(0o644)
    damaged.write_bytes(right[:-1] + b"!")
    with pytest.raises(CastoffError):
        list(patch.copy(scope.store, other, APP, "c", way))
    assert patch.bases(other, APP, "c") == []

    damaged.write_bytes(right)
    assert [list(patch.copy(scope.store, other, APP, "c", way)) for _ in "ab"] == [["b"], []]
    assert patch.bases(other, APP, "c") == ["b"]
    assert list(way.iterdir()) == []
    scope = replace(scope, store=other)
    go(scope, "release", "b")
    go(scope, "release", "c")
    assert fetched(scope) == {"patch": len(right)}
