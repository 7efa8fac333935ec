"""Writable directories of a release, and whose they and the shared ones are."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from support.agent_client import AgentFailure, agent, open_request
from support.archives import Artifact, make_artifact

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")
NOBODY = pwd.getpwuid(65534).pw_name
GROUP = grp.getgrgid(65534).gr_name


def right(path: str, **wanted: Any) -> dict[str, Any]:
    return {"path": path, "writable": False, "folder": True, **wanted}


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_each_release_has_writable_directories_of_its_own(root: Path, shop: Artifact) -> None:
    other = make_artifact("2.0", {"app/main.py": b"2"})
    with agent(root) as client:
        for artifact in (shop, other):
            request = artifact.request(writable=["app/cache", "tmp/"])
            client.ask("prepare", archive=artifact.archive, **request)
        release = root / "releases/1.0"
        assert str((release / "app/cache").readlink()) == "../../../.castoff/writable/1.0/app/cache"
        assert str((release / "tmp").readlink()) == "../../.castoff/writable/1.0/tmp"
        (release / "app/cache/page").write_text("cached")
        assert not list((root / "releases/2.0/app/cache").iterdir())

        seen = client.ask("verify", version="1.0")
        assert (seen["tree_sha256"], seen["extra"]) == (shop.tree_sha256, [])
        again = client.ask("prepare", **shop.request(writable=["app/cache", "tmp/"]))
        assert again["reused"]
        assert (release / "app/cache/page").read_text() == "cached"


def test_what_a_release_wrote_goes_with_it(root: Path, shop: Artifact) -> None:
    other = make_artifact("2.0", {"app/main.py": b"2"})
    with agent(root) as client:
        for artifact in (shop, other):
            request = artifact.request(writable=["cache/"])
            client.ask("prepare", archive=artifact.archive, **request)
        (root / "releases/1.0/cache/page").write_text("cached")
        client.ask("activate", version="2.0", release="r1")
        client.ask("confirm", version="2.0", release="r1")
        assert client.ask("prune", keep=2, never=[])["removed"] == ["1.0"]
        assert names(root / ".castoff/writable") == ["2.0"]
        assert names(root / ".castoff/trash") == []

        client.ask("prepare", archive=shop.archive, **shop.request(writable=["cache/"]))
    assert names(root / "releases/1.0/cache") == []


def test_a_writable_path_that_the_release_fills_is_refused(root: Path, shop: Artifact) -> None:
    with agent(root) as client, pytest.raises(AgentFailure, match="'app' cannot be") as caught:
        client.ask("prepare", archive=shop.archive, **shop.request(writable=["app/"]))
    assert caught.value.code == "invalid"


@root_only
def test_what_is_made_is_given_to_whom_it_is_meant_for(root: Path, shop: Artifact) -> None:
    rights = [
        right("app/media", mode="2775", owner=NOBODY, group=GROUP),
        right("cache", mode="0700", owner=NOBODY, writable=True),
    ]
    request = shop.request(shared=["app/media/"], writable=["cache/"], rights=rights)
    with agent(root) as client:
        assert client.ask("prepare", archive=shop.archive, **request)["notes"] == []
    media, cache = root / "shared/app/media", root / "releases/1.0/cache"
    assert (mode(media), media.owner(), media.group()) == (0o2775, NOBODY, GROUP)
    assert (mode(cache), cache.owner()) == (0o700, NOBODY)
    assert media.parent.owner() == "root"


@root_only
def test_a_writable_directory_follows_what_is_wanted_of_it_later(
    root: Path, shop: Artifact
) -> None:
    request = shop.request(writable=["cache/"])
    with agent(root) as client:
        client.ask("prepare", archive=shop.archive, **request)
        rights = [right("cache", mode="0770", group=GROUP, writable=True)]
        again = client.ask("prepare", **{**request, "rights": rights})
    assert again["notes"] == [
        (
            f"cache of 1.0 had mode 0755, not 0770 and was of group root, not {GROUP} before; "
            "that was set right"
        )
    ]
    assert mode(root / "releases/1.0/cache") == 0o770


@root_only
def test_what_differs_is_set_right_and_told_and_what_lies_in_it_is_not_touched(
    root: Path, shop: Artifact
) -> None:
    media = root / "shared/media"
    media.mkdir(parents=True)
    (media / "photo").write_text("photo")
    (media / "photo").chmod(0o600)
    rights = [right("media", mode="2775", group=GROUP)]
    request = shop.request(shared=["media/"], rights=rights)
    with agent(root) as client:
        first = client.ask("prepare", archive=shop.archive, **request)
        second = client.ask("prepare", **request)
    assert first["notes"] == [
        (
            f"shared/media had mode 0755, not 2775 and was of group root, not {GROUP} before; "
            "that was set right"
        )
    ]
    assert second["notes"] == []
    assert (mode(media), mode(media / "photo")) == (0o2775, 0o600)
    assert (media / "photo").group() == "root"


def test_a_file_that_is_there_is_set_right_and_a_missing_one_is_never_made(
    root: Path, shop: Artifact
) -> None:
    (root / "shared").mkdir(parents=True)
    (root / "shared/env").write_text("SECRET=1")
    (root / "shared/env").chmod(0o644)
    rights = [right("env", mode="0600", folder=False), right("key", mode="0600", folder=False)]
    request = shop.request(shared=["env", "key"], rights=rights)
    with agent(root) as client:
        notes = client.ask("prepare", archive=shop.archive, **request)["notes"]
    assert mode(root / "shared/env") == 0o600
    assert (root / "shared/env").read_text() == "SECRET=1"
    assert not (root / "shared/key").exists()
    assert notes[0] == "shared/env had mode 0644, not 0600 before; that was set right"


def test_a_link_that_somebody_put_into_shared_is_told_and_never_followed(
    root: Path, shop: Artifact, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    (root / "shared").mkdir(parents=True)
    (root / "shared/media").symlink_to(elsewhere)
    (root / "shared/deep").symlink_to(tmp_path)
    rights = [right("media", mode="0777"), right("deep/elsewhere", mode="0777")]
    request = shop.request(shared=["media/", "deep/elsewhere/"], rights=rights)
    with agent(root) as client:
        notes = client.ask("prepare", archive=shop.archive, **request)["notes"]
    assert len(notes) == 2
    assert all("had mode 0755, not 0777; it is not changed" in note for note in notes)
    assert mode(elsewhere) == 0o755


def test_a_user_whom_the_host_lacks_is_found_before_the_release(root: Path) -> None:
    for kind in ("owner", "group"):
        request = open_request(root, rights=[right("media", **{kind: "no-such-one"})])
        with agent() as client, pytest.raises(AgentFailure, match="no-such-one") as caught:
            client.ask("open", **request)
        assert caught.value.code == "permission"
        assert "add --system no-such-one" in caught.value.hint
