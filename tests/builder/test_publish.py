from __future__ import annotations

from pathlib import Path

import pytest

from castoff.store.durable import NewFile
from castoff.store.errors import ImmutableVersion, StoreError
from castoff.store.local_artifact import load_local, verify_local
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
    assert len(list((tmp_path / "new/out").iterdir())) == 3


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


@pytest.mark.parametrize("at", range(6))
def test_a_build_that_is_stopped_leaves_nothing_half_done(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Stop at each write and each rename; whoever looks then finds no version, or a whole one."""
    repository.commit({"page.txt": "one"})
    steps = 0

    class Watched(NewFile):
        def write(self, data: bytes) -> int:
            count()
            return super().write(data)

        def replace(self) -> None:
            count()
            super().replace()

    def count() -> None:
        nonlocal steps
        steps += 1
        if steps > at:
            raise Stopped

    monkeypatch.setattr("castoff.store.durable.NewFile", Watched)
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
