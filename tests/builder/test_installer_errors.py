"""What keeps dependencies from being installed is named: package, lock and index."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from castoff.builder.errors import BuildError
from castoff.store.errors import CastoffError
from support.builds import Repository
from support.installing import ONE, TOOL, make
from support.local_index import Index, local_index


def test_a_manifest_never_lacks_digests_because_an_index_is_down(
    repository: Repository, tmp_path: Path
) -> None:
    with local_index(ONE) as index:
        repository.commit({"requirements.txt": index.requirement(ONE[0])})
        make(repository, index, tmp_path / "one", cache=tmp_path / "cache")
    (kept,) = (folder for folder in (tmp_path / "cache").rglob("files") if folder.is_dir())
    shutil.rmtree(kept)
    shutil.rmtree(tmp_path / "cache/uv", ignore_errors=True)
    with pytest.raises(BuildError, match=rf"index {index.host} does not answer"):
        make(repository, index, tmp_path / "two", cache=tmp_path / "cache", home="another")
    assert not (tmp_path / "two").exists()


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_file_that_is_not_the_locked_one_names_lock_and_package(
    repository: Repository, index: Index, tmp_path: Path, installer: str
) -> None:
    repository.commit({"requirements.txt": f"space-one==1.0 --hash=sha256:{'0' * 64}\n"})
    with pytest.raises(BuildError, match=r"^requirements\.txt: the file of space-one 1\.0 that "):
        make(repository, index, tmp_path / "out", installer=installer)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_an_index_that_is_down_is_named(
    repository: Repository, tmp_path: Path, installer: str
) -> None:
    with local_index(ONE) as index:
        repository.commit({"requirements.txt": index.requirement(ONE[0])})
    with pytest.raises(BuildError, match=rf"index {index.host} does not answer") as caught:
        make(repository, index, tmp_path / "out", installer=installer)
    assert "UV_DEFAULT_INDEX" in caught.value.hint
    assert not (tmp_path / "out").exists()


def test_an_index_that_answers_with_an_error_is_named(
    repository: Repository, tmp_path: Path
) -> None:
    with local_index(ONE, status=503) as index:
        repository.commit({"requirements.txt": index.requirement(ONE[0])})
        with pytest.raises(BuildError, match=rf"index {index.host} answers 503"):
            make(repository, index, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_the_index_does_not_have_is_named(
    repository: Repository, index: Index, tmp_path: Path
) -> None:
    repository.commit({"requirements.txt": f"space-one==9.9 --hash=sha256:{'0' * 64}\n"})
    with pytest.raises(BuildError, match=r"locks space-one 9\.9, and the index .*does not have it"):
        make(repository, index, tmp_path / "out")


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_what_the_lock_lacks_is_named(
    repository: Repository, index: Index, tmp_path: Path, installer: str
) -> None:
    repository.commit({"requirements.txt": index.requirement(TOOL[0])})
    with pytest.raises(CastoffError, match="space-one"):
        make(repository, index, tmp_path / "out", installer=installer)
