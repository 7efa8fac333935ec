from __future__ import annotations

from pathlib import Path

import pytest

from support.agent_client import AgentFailure, agent
from support.archives import Artifact


def test_shared_paths_become_relative_links(root: Path, shop: Artifact) -> None:
    request = shop.request(shared=["app/media/", "app/.env", "logs/", "var/lib/shop/"])
    with agent(root) as client:
        result = client.ask("prepare", archive=shop.archive, **request)
    release = root / "releases/1.0"
    assert str((release / "app/media").readlink()) == "../../../shared/app/media"
    assert str((release / "app/.env").readlink()) == "../../../shared/app/.env"
    assert str((release / "logs").readlink()) == "../../shared/logs"
    assert str((release / "var/lib/shop").readlink()) == "../../../../shared/var/lib/shop"
    for folder in ("app/media", "logs", "var/lib/shop"):
        assert (root / "shared" / folder).is_dir()
        assert (release / folder).resolve() == (root / "shared" / folder).resolve()
        assert (root / "shared" / folder).stat().st_mode & 0o777 == 0o755
    assert not (root / "shared/app/.env").exists()
    assert result["notes"] == [
        "shared/app/.env does not exist on this host; the release links to it"
    ]


def test_links_do_not_count_in_the_tree_and_are_no_extras(root: Path, shop: Artifact) -> None:
    request = shop.request(shared=["app/media/", "var/lib/shop/"])
    with agent(root) as client:
        result = client.ask("prepare", archive=shop.archive, **request)
        assert result["tree_sha256"] == shop.tree_sha256
        assert client.ask("verify", version="1.0") == {
            "tree_sha256": shop.tree_sha256,
            "changed": [],
            "missing": [],
            "extra": [],
            "differing": 0,
        }
        assert client.ask("prepare", **request)["reused"]
        (root / "releases/1.0/app/media").unlink()
        assert client.ask("verify", version="1.0")["missing"] == ["app/media"]


def test_what_is_in_shared_is_never_changed(root: Path, shop: Artifact) -> None:
    (root / "shared/app/media").mkdir(parents=True)
    (root / "shared/app/media").chmod(0o2775)
    (root / "shared/app/media/photo").write_text("photo")
    (root / "shared/app/.env").write_text("SECRET=1")
    (root / "shared/app/.env").chmod(0o600)
    with agent(root) as client:
        request = shop.request(shared=["app/media/", "app/.env"])
        result = client.ask("prepare", archive=shop.archive, **request)
    assert result["notes"] == []
    assert (root / "shared/app/media").stat().st_mode & 0o7777 == 0o2775
    assert (root / "releases/1.0/app/media/photo").read_text() == "photo"
    assert (root / "releases/1.0/app/.env").read_text() == "SECRET=1"
    assert (root / "shared/app/.env").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "shared",
    [
        ["app/main.py"],
        ["app/main.py/"],
        ["app/"],
        ["app/latest"],
        ["app/static/"],
        ["app/main.py/below"],
        ["app/latest/below"],
        ["media/", "media/photos/"],
        ["media/photos/", "media/"],
        ["media/", "media"],
        ["/etc/"],
        ["../evil/"],
        ["app/../../evil"],
        ["a//b"],
        [""],
        ["/"],
    ],
)
def test_a_shared_path_that_cannot_be_is_named(
    shared: list[str], root: Path, shop: Artifact
) -> None:
    with agent(root) as client:
        with pytest.raises(AgentFailure) as caught:
            client.ask("prepare", archive=shop.archive, **shop.request(shared=shared))
        assert caught.value.code == "invalid"
        assert client.events == []
    assert list((root / "shared").iterdir()) == []


def test_a_file_in_the_place_of_a_shared_directory_is_named(root: Path, shop: Artifact) -> None:
    (root / "shared/app").mkdir(parents=True)
    (root / "shared/app/media").write_text("")
    with agent(root) as client:
        with pytest.raises(AgentFailure, match="shared/app/media") as caught:
            client.ask("prepare", archive=shop.archive, **shop.request(shared=["app/media/"]))
        assert caught.value.code == "invalid"
        assert client.ask("state")["state"]["releases"] == []


def test_new_shared_paths_reach_a_release_that_is_not_served(root: Path, shop: Artifact) -> None:
    with agent(root) as client:
        client.ask("prepare", archive=shop.archive, **shop.request())
        request = shop.request(shared=["app/media/"])
        assert not client.ask("prepare", archive=shop.archive, **request)["reused"]
        assert (root / "releases/1.0/app/media").is_symlink()
        client.ask("activate", version="1.0", release="r1")
        result = client.ask("prepare", **shop.request())
        assert result["reused"]
        assert result["notes"] == ["1.0 keeps the shared paths that it was prepared with"]
        assert (root / "releases/1.0/app/media").is_symlink()
