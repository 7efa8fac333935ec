from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from castoff.builder import publish as publishing
from castoff.store.errors import ImmutableVersion, StoreError
from castoff.store.local_artifact import load_local, verify_local
from castoff.store.manifest import Manifest
from castoff.store.names import local_signature
from support.builds import Repository, names


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    return {p.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in folder.iterdir()}


def test_what_is_left_is_what_a_push_reads(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"page.txt": "one"})
    result = repository.build(tmp_path / "new/out", version="1.0")
    artifact = load_local(tmp_path / "new/out", "demo", "1.0")
    table = verify_local(artifact)
    assert artifact.manifest == result.manifest
    assert (artifact.archive, artifact.table) == (result.archive, result.table)
    assert [file.path for file in table.files] == ["app/page.txt", "castoff.json"]
    assert len(list((tmp_path / "new/out").iterdir())) == 4


def test_what_was_built_gets_into_no_commit(repository: Repository) -> None:
    repository.commit({"page.txt": "one"})
    repository.build(repository.folder / "artifacts", version="1.0")
    assert repository.git("status", "--short") == ""


def test_a_second_build_of_the_same_commit_touches_nothing(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"page.txt": "one"})
    first = repository.build(tmp_path, version="1.0").manifest
    before = listing(tmp_path)
    repository.git("tag", "v1.0")
    assert repository.build(tmp_path, version="1.0", ref="v1.0").manifest == first
    assert listing(tmp_path) == before


def test_a_damaged_file_of_the_same_version_is_mended(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"page.txt": "one"})
    result = repository.build(tmp_path, version="1.0")
    result.archive.write_bytes(b"damaged")
    result.table.unlink()
    repository.build(tmp_path, version="1.0")
    verify_local(load_local(tmp_path, "demo", "1.0"))


def test_other_bytes_under_the_same_version_are_refused(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"page.txt": "one"})
    repository.build(tmp_path, version="1.0")
    before = listing(tmp_path)
    repository.commit({"page.txt": "two"})
    with pytest.raises(ImmutableVersion, match=r"demo 1\.0 is in .* with other bytes"):
        repository.build(tmp_path, version="1.0")
    assert listing(tmp_path) == before


def test_builds_of_one_version_at_once_leave_one_of_them_whole(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first pauses where it has seen that nothing is there; the second must wait for it."""
    repository.commit({"page.txt": "one"})
    repository.commit({"page.txt": "two"})
    looked, arrived, saw_nothing = Event(), Event(), Event()
    place, existing, begin = publishing._place, publishing._existing, publishing._open

    def slow(source: Path, target: Path, sha256: str) -> None:
        looked.set()
        assert arrived.wait(60)
        saw_nothing.wait(0.2)
        place(source, target, sha256)

    def look(path: Path) -> Manifest | None:
        if looked.is_set():
            saw_nothing.set()
        return existing(path)

    def arrive(path: Path) -> int:
        if looked.is_set():
            arrived.set()
        return begin(path)

    for name, function in (("_place", slow), ("_existing", look), ("_open", arrive)):
        monkeypatch.setattr(publishing, name, function)
    with ThreadPoolExecutor() as threads:
        first = threads.submit(repository.build, tmp_path, version="1.0", ref="HEAD~1")
        assert looked.wait(60)
        second = threads.submit(repository.build, tmp_path, version="1.0")
        assert first.result().manifest.tree_size
        with pytest.raises(ImmutableVersion, match="with other bytes"):
            second.result()
    artifact = load_local(tmp_path, "demo", "1.0")
    verify_local(artifact)
    assert artifact.manifest == first.result().manifest
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"version": "2.0"}, "version"),
        ({"dependencies": [{"name": "django", "version": "1.0"}]}, "dependencies"),
        ({"built_with": {"castoff": "9"}}, "built_with"),
    ],
)
def test_a_manifest_that_was_changed_does_not_pass_for_the_builds_own(
    repository: Repository, tmp_path: Path, change: dict[str, object], named: str
) -> None:
    repository.commit({"page.txt": "one"})
    path = repository.build(tmp_path, version="1.0").manifest_path
    changed = json.dumps({**json.loads(path.read_bytes()), **change})
    path.write_text(changed)
    with pytest.raises(
        ImmutableVersion, match=rf"demo 1\.0 .* with another manifest: {named} diff"
    ):
        repository.build(tmp_path, version="1.0")
    assert path.read_text() == changed


def test_a_lock_that_a_killed_build_left_is_taken_over(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"page.txt": "one"})
    (tmp_path / ".~lock").touch()
    os.utime(tmp_path / ".~lock", (0, 0))
    repository.build(tmp_path, version="1.0")
    assert not list(tmp_path.glob(".*"))


def test_a_dirty_build_may_be_built_again(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"page.txt": "one"})
    first = repository.build(tmp_path, version="1.0", dirty=True)
    # The same content on another commit: the version is the same, castoff.json is not.
    repository.commit({"other.txt": ""})
    repository.git("rm", "--quiet", "other.txt")
    signature = tmp_path / local_signature("demo", first.manifest.version)
    signature.write_text("of the first")
    second = repository.build(tmp_path, version="1.0", dirty=True)
    assert first.manifest.version == second.manifest.version
    assert first.manifest.tree_sha256 != second.manifest.tree_sha256
    verify_local(load_local(tmp_path, "demo", second.manifest.version))
    assert not signature.exists()


def test_a_manifest_that_cannot_be_read_is_not_replaced(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"page.txt": "one"})
    path = repository.build(tmp_path, version="1.0").manifest_path
    path.write_text("{}")
    with pytest.raises(ImmutableVersion, match="cannot be read"):
        repository.build(tmp_path, version="1.0")
    assert path.read_text() == "{}"


class Stopped(BaseException):
    """What a killed process would be."""


@pytest.mark.parametrize("at", range(8))
def test_a_build_that_is_stopped_leaves_nothing_half_done(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Stop at each sync and each rename; whoever looks then finds no version, or a whole one."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1
        if steps > at:
            raise Stopped

    def sync(descriptor: int, real: Callable[[int], None] = os.fsync) -> None:
        count()
        real(descriptor)

    def replace(path: Path, target: Path, real: Callable[..., Path] = Path.replace) -> Path:
        count()
        return real(path, target)

    repository.commit({"page.txt": "one"})
    monkeypatch.setattr("os.fsync", sync)
    monkeypatch.setattr("pathlib.Path.replace", replace)
    with pytest.raises(Stopped):
        repository.build(tmp_path, version="1.0")
    assert not list(tmp_path.glob("*.manifest.json"))
    assert not list(tmp_path.glob(".*"))
    for archive in tmp_path.glob("*.tar.gz"):
        assert names(archive) == {"app/page.txt", "castoff.json"}
    monkeypatch.undo()
    repository.build(tmp_path, version="1.0")
    verify_local(load_local(tmp_path, "demo", "1.0"))


def test_an_output_that_cannot_be_written_is_told(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"page.txt": "one"})
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StoreError, match="out"):
        repository.build(tmp_path / "out", version="1.0")
