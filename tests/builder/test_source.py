from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from castoff.builder.errors import SourceError
from castoff.builder.git import Git
from castoff.store.errors import UsageError
from support.builds import Repository, make_repository, names, unpack

TIME = 1_700_000_000


def test_exactly_the_commit_is_built(repository: Repository, tmp_path: Path) -> None:
    sha = repository.commit({"page.txt": "one", "gone.txt": "still there"})
    repository.write({"page.txt": "modified", "untracked.txt": "no"})
    (repository.folder / "gone.txt").unlink()
    result = repository.build(tmp_path / "out")
    tree = unpack(result.archive, tmp_path / "tree")
    assert names(result.archive) == {"app/page.txt", "app/gone.txt", "castoff.json"}
    assert (tree / "app/page.txt").read_text() == "one"
    assert result.manifest.source.commit == sha
    assert not result.manifest.source.dirty


def test_an_older_commit_is_built_as_it_was(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"page.txt": "one"})
    repository.git("tag", "v1.0.0")
    repository.commit({"page.txt": "two", "new.txt": ""})
    result = repository.build(tmp_path / "out", ref="v1.0.0")
    assert names(result.archive) == {"app/page.txt", "castoff.json"}
    assert result.manifest.version == "1.0.0"
    assert result.manifest.source.ref == "v1.0.0"


@pytest.mark.parametrize("ref", ["HEAD..HEAD", "^HEAD", "HEAD~1..HEAD", "page.txt", "HEAD~7"])
def test_what_is_no_name_of_one_commit_is_refused(
    repository: Repository, tmp_path: Path, ref: str
) -> None:
    repository.commit({"page.txt": "one", f"{ref.replace('/', '')}^{{commit}}": ""})
    repository.commit({"page.txt": "two"})
    with pytest.raises(SourceError, match="no commit is named"):
        repository.build(tmp_path / "out", ref=ref)


def test_git_is_asked_five_times(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"page.txt": "one"})
    repository.git("tag", "v1.0,rc")
    repository.git("tag", "-a", "-m", "signed off", "v1.1")
    asked: list[str] = []
    argv = Git._argv

    def counted(git: Git, words: Sequence[str]) -> list[str]:
        asked.append(words[0])
        return argv(git, words)

    monkeypatch.setattr(Git, "_argv", counted)
    assert repository.build(tmp_path / "out").manifest.version == "1.1"
    assert sorted(asked) == ["archive", "diff", "ls-tree", "rev-parse", "show"]


def test_what_attributes_keep_out_of_exports_stays_out(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit(
        {".gitattributes": "/tests export-ignore\n", "tests/big.bin": "x", "page.txt": ""}
    )
    repository.write({".gitattributes": ""})
    result = repository.build(tmp_path / "out")
    assert names(result.archive) == {"app/.gitattributes", "app/page.txt", "castoff.json"}


def test_a_tag_that_is_set_later_changes_nothing(repository: Repository, tmp_path: Path) -> None:
    refs = "$Format:%H %D$\n"
    repository.commit({".gitattributes": "refs export-subst\n", "refs": refs})
    before = repository.build(tmp_path / "before", version="1.0")
    repository.git("tag", "v1.0.0")
    repository.git("branch", "other")
    after = repository.build(tmp_path / "after", version="1.0")
    assert (unpack(before.archive, tmp_path / "tree") / "app/refs").read_text() == refs
    assert after.manifest.archive == before.manifest.archive


def test_settings_of_the_user_change_nothing(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"page.txt": "a\nb\n"})
    before = repository.build(tmp_path / "before")
    (tmp_path / "attributes").write_text("* export-ignore\n")
    (tmp_path / "settings").write_text(
        f"[core]\nautocrlf = true\nattributesFile = {tmp_path}/attributes\n[tar]\numask = 077\n"
    )
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": str(tmp_path / "settings"),
        "GIT_DIR": str(tmp_path),
    }
    after = repository.build(tmp_path / "after", environment=environment)
    (tmp_path / "home").mkdir()
    (tmp_path / "settings").rename(tmp_path / "home/.gitconfig")
    at_home = repository.build(
        tmp_path / "at-home", environment={**os.environ, "HOME": str(tmp_path / "home")}
    )
    assert before.manifest == after.manifest == at_home.manifest


@pytest.mark.parametrize(
    "ref", ["--output=pwned", "-h", "", "HEAD\n", "no-such-thing", "HEAD^{tree}"]
)
def test_a_name_that_is_no_commit_is_refused(
    repository: Repository, tmp_path: Path, ref: str
) -> None:
    repository.commit({"page.txt": ""})
    with pytest.raises(SourceError) as caught:
        repository.build(tmp_path / "out", ref=ref)
    assert caught.value.hint
    assert not (repository.folder / "pwned").exists()
    assert not (tmp_path / "out").exists()


def test_a_hostile_version_is_refused(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"page.txt": ""})
    with pytest.raises(UsageError):
        repository.build(tmp_path / "out", version="../../etc/cron.d/x")


def test_outside_of_a_repository_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not a git repository"):
        Repository(tmp_path).build(tmp_path / "out")


def test_a_repository_without_commits_is_told_so(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no commit is named 'HEAD'"):
        repository.build(tmp_path / "out")


def test_submodules_are_refused_by_name(repository: Repository, tmp_path: Path) -> None:
    other = make_repository(tmp_path / "other")
    other.commit({"file": ""})
    repository.git("submodule", "--quiet", "add", str(other.folder), "vendor/other")
    repository.commit({"page.txt": "", "web/page.txt": ""})
    with pytest.raises(SourceError, match="vendor/other is a git submodule"):
        repository.build(tmp_path / "out")
    elsewhere = repository.build(tmp_path / "out", path="web")
    assert names(elsewhere.archive) == {"app/page.txt", "castoff.json"}


def test_a_pointer_of_git_lfs_is_not_taken_for_the_file(
    repository: Repository, tmp_path: Path
) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    repository.commit({"photo.jpg": pointer})
    with pytest.raises(SourceError, match=r"photo\.jpg is in Git LFS"):
        repository.build(tmp_path / "out")


def test_an_app_may_lie_below_a_configuration_that_lies_below_the_top(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"sites/shop/web/page.txt": "", "other.txt": ""})
    below = Repository(repository.folder / "sites")
    result = below.build(tmp_path / "out", path="shop/web")
    assert names(result.archive) == {"app/page.txt", "castoff.json"}
    with pytest.raises(SourceError, match="sites/nowhere is not a folder in HEAD"):
        below.build(tmp_path / "out", path="nowhere")


def test_a_dirty_build_has_tracked_files_as_they_are_on_disk(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"page.txt": "one", "gone.txt": "", ".gitattributes": "/x export-ignore\n"})
    repository.write({"page.txt": "two", "staged.txt": "", "untracked.txt": "", "x/y": ""})
    repository.git("add", "staged.txt", "x/y")
    (repository.folder / "gone.txt").unlink()
    status = repository.git("status", "--porcelain")
    objects = repository.git("count-objects")
    result = repository.build(tmp_path / "out", dirty=True, version="1.0")
    tree = unpack(result.archive, tmp_path / "tree")
    assert names(result.archive) == {
        "app/.gitattributes",
        "app/page.txt",
        "app/staged.txt",
        "castoff.json",
    }
    assert (tree / "app/page.txt").read_text() == "two"
    assert result.manifest.version.startswith("1.0+dirty.")
    assert result.manifest.source.dirty
    assert (repository.git("status", "--porcelain"), repository.git("count-objects")) == (
        status,
        objects,
    )


def test_dirty_builds_of_different_content_have_different_versions(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"page.txt": "one"})
    versions = set()
    for text in ("one", "two", "one"):
        repository.write({"page.txt": text})
        versions.add(repository.build(tmp_path / "out", dirty=True).manifest.version)
    assert len(versions) == 2
    assert all("+dirty." in version for version in versions)


def test_a_change_of_the_same_second_and_size_is_in_a_dirty_build(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"page.txt": "one"})
    repository.git("config", "core.trustctime", "false")
    for path in (repository.folder / "page.txt", repository.folder / ".git/index"):
        os.utime(path, (TIME, TIME))
    repository.git("update-index", "--refresh")
    os.utime(repository.folder / ".git/index", (TIME, TIME))
    repository.write({"page.txt": "two"})
    os.utime(repository.folder / "page.txt", (TIME, TIME))

    archive = repository.build(tmp_path / "out", dirty=True).archive

    page = unpack(archive, tmp_path / "release") / "app/page.txt"
    assert page.read_text() == "two"


def test_source_time_is_the_commits_unless_the_environment_says(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"page.txt": ""})
    result = repository.build(tmp_path / "out")
    assert result.manifest.source.time == int(repository.git("show", "-s", "--format=%ct"))
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "86400"}
    result = repository.build(tmp_path / "other", environment=environment)
    assert result.manifest.source.time == 86400
    with pytest.raises(SourceError, match="SOURCE_DATE_EPOCH"):
        repository.build(tmp_path / "out", environment={**environment, "SOURCE_DATE_EPOCH": "now"})
