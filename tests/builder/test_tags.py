"""Tags in real repositories, pushed to real remotes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from castoff.builder.errors import SourceError
from castoff.builder.git import Git
from castoff.builder.repository import GitRepository
from support.limits import cut_short
from support.processes import has_ended
from support.site import Site
from support.traps import wait_until

NAME = "release/production/7"
MESSAGE = "production has shop 2\n\n# not a comment\nlast line\n"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path / "site")
    made.write({"a.txt": "1"})
    made.commit("first")
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "remote.git")], check=True)
    made.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    return made


def repository(folder: Path, **variables: str) -> GitRepository:
    """Return a repository of a caller who has no identity of his own, as in CI."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG")}
    nobody = {"HOME": str(folder.parent), "GIT_CONFIG_NOSYSTEM": "1", "EMAIL": ""}
    return GitRepository(Git(folder, {**kept, **nobody, **variables}))


def tag(where: GitRepository, commit: str, *, push: str = "", tagger: str = "") -> None:
    where.tag(NAME, commit, MESSAGE, tagger=tagger, who="ci@runner", push=push, limit=20)


def head(site: Site) -> str:
    return site.git("rev-parse", "HEAD").strip()


def test_a_tag_is_annotated_pushed_and_made_once(site: Site, tmp_path: Path) -> None:
    where = repository(site.folder)
    for _ in range(2):
        tag(where, head(site), push="origin")
    assert site.git("cat-file", "-t", NAME) == "tag\n"
    assert site.git("tag", "-l", "--format=%(contents)", NAME).strip() == MESSAGE.strip()
    remote = Git(tmp_path / "remote.git", os.environ)
    assert remote.text("rev-parse", f"{NAME}^{{commit}}") == head(site)


@pytest.mark.parametrize(
    ("tagger", "variables", "expected"),
    [
        ("Releases <r@example.org>", {}, "Releases <r@example.org>"),
        (
            "",
            {"GIT_COMMITTER_NAME": "Env", "GIT_COMMITTER_EMAIL": "e@example.org"},
            "Env <e@example.org>",
        ),
    ],
)
def test_who_tags_is_as_said(
    site: Site, tagger: str, variables: dict[str, str], expected: str
) -> None:
    tag(repository(site.folder, **variables), head(site), tagger=tagger)
    assert site.git("tag", "-l", "--format=%(taggername) %(taggeremail)", NAME).strip() == expected


def test_where_git_knows_nobody_it_is_whoever_released(site: Site) -> None:
    site.git("config", "user.useConfigOnly", "true")
    tag(repository(site.folder), head(site))
    told = site.git("tag", "-l", "--format=%(taggername) %(taggeremail)", NAME).strip()
    assert told == "ci <ci@runner>"


def test_a_tag_of_another_commit_is_left_there(site: Site) -> None:
    first = head(site)
    tag(repository(site.folder), first)
    site.write({"a.txt": "2"})
    second = site.commit("second")
    with pytest.raises(SourceError, match=f"is on {first[:10]} already, not on {second[:10]}"):
        tag(repository(site.folder), second, push="origin")
    assert site.git("rev-parse", f"{NAME}^{{commit}}").strip() == first


def test_a_shallow_clone_without_the_commit_says_what_to_type(site: Site, tmp_path: Path) -> None:
    first = head(site)
    site.write({"a.txt": "2"})
    site.commit("second")
    clone = tmp_path / "clone"
    argv = ["git", "clone", "-q", "--depth", "1", site.folder.as_uri(), str(clone)]
    subprocess.run(argv, check=True, capture_output=True)
    with pytest.raises(SourceError, match="does not have the commit") as caught:
        tag(repository(clone), first)
    assert f"git tag -a -m {NAME} {NAME} {first}" in caught.value.hint


def test_a_remote_that_has_it_on_the_same_commit_is_content_and_on_another_is_told(
    site: Site, tmp_path: Path
) -> None:
    first = head(site)
    other = tmp_path / "other"
    subprocess.run(["git", "clone", "-q", str(site.folder), str(other)], check=True)
    elsewhere = repository(other)
    remote = str(tmp_path / "remote.git")
    tag(elsewhere, first, push=remote, tagger="Other <o@example.org>")
    tag(repository(site.folder), first, push="origin")

    site.git("tag", "-d", NAME)
    site.write({"a.txt": "2"})
    second = site.commit("second")
    with pytest.raises(SourceError, match=f"not pushed to origin: it is on {first[:10]} there"):
        tag(repository(site.folder), second, push="origin")


def test_a_remote_that_hangs_is_left_in_time_with_all_that_was_started(
    site: Site, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\necho $$ >> {started}\nexec sleep 600\n")
    ssh.chmod(0o755)
    where = repository(site.folder, GIT_SSH=str(ssh), GIT_SSH_VARIANT="simple")

    def run_for(limit: float) -> None:
        started.unlink(missing_ok=True)
        said = f"git push did not come to its end within {limit:g} s"
        with pytest.raises(SourceError, match=said):
            where.tag(
                NAME, head(site), "x", tagger="A <a@b.c>", who="", push="ssh://host/x", limit=limit
            )

    cut_short(run_for, started)
    (pid,) = started.read_text().split()
    wait_until(lambda: has_ended(int(pid)), "what git started to reach the remote still runs")


def test_a_token_in_the_remotes_url_is_not_told(site: Site) -> None:
    site.git("remote", "set-url", "origin", "http://user:s3cr3t-token@127.0.0.1:9/x.git")
    where = repository(site.folder)
    with pytest.raises(SourceError) as caught:
        tag(where, head(site), push="origin")
    assert "s3cr3t-token" not in caught.value.message + caught.value.hint
    assert "127.0.0.1:9" in caught.value.message
