from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.agent_client import AgentFailure, agent
from support.archives import Artifact


def test_a_whole_release_attests_the_manifests_digest(root: Path, shop: Artifact) -> None:
    with agent(root) as client:
        client.ask("prepare", archive=shop.archive, **shop.request())
    with agent(root, lock=False) as reader:
        assert reader.ask("verify", version="1.0") == {
            "tree_sha256": shop.tree_sha256,
            "changed": [],
            "missing": [],
            "extra": [],
            "differing": 0,
        }


def test_everything_that_differs_is_named(root: Path, shop: Artifact) -> None:
    with agent(root) as client:
        client.ask("prepare", archive=shop.archive, **shop.request())
        release = root / "releases/1.0"
        (release / "app/main.py").chmod(0o644)
        (release / "app/main.py").write_bytes(b"print('shop 1.1')\n")
        (release / "bin/shop").chmod(0o444)
        (release / "app/empty.txt").unlink()
        (release / "app/media").rmdir()
        (release / "app/new").mkdir()
        (release / "app/new/file").write_text("x")
        (release / "app/pipe").mkdir()
        os.mkfifo(release / "app/fifo")
        result = client.ask("verify", version="1.0")
        assert result["changed"] == ["app/main.py", "bin/shop"]
        assert result["missing"] == ["app/empty.txt", "app/media"]
        assert result["extra"] == ["app/fifo", "app/new", "app/new/file", "app/pipe"]
        assert result["tree_sha256"] != shop.tree_sha256


def test_a_quick_look_reads_what_was_touched_since_and_finds_the_same(
    root: Path, shop: Artifact
) -> None:
    with agent(root) as client:
        prepared = shop.request()
        client.ask("prepare", archive=shop.archive, **prepared)
        assert client.ask("verify", version="1.0", quick=True) == client.ask(
            "verify", version="1.0"
        )
        file = root / "releases/1.0/app/main.py"
        before = file.stat()
        file.chmod(0o644)
        file.write_bytes(b"print('shop 1.1')\n")
        file.chmod(0o444)
        # As a tool that copies times along would leave it.
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        found = client.ask("verify", version="1.0", quick=True)
    assert found["changed"] == ["app/main.py"]
    assert found["tree_sha256"] != shop.tree_sha256


def test_no_more_paths_are_named_than_wanted_but_all_are_counted(
    root: Path, shop: Artifact
) -> None:
    with agent(root) as client:
        client.ask("prepare", archive=shop.archive, **shop.request())
        for number in range(7):
            (root / f"releases/1.0/extra-{number}").write_text("x")
        found = client.ask("verify", version="1.0", most=2)
    assert found["extra"] == ["extra-0", "extra-1"]
    assert found["differing"] == 7


def test_one_extra_file_is_another_tree(root: Path, shop: Artifact) -> None:
    with agent(root) as client:
        client.ask("prepare", archive=shop.archive, **shop.request())
        # No Unicode, so it can only have come from elsewhere; the answer must still be text.
        (root / os.fsdecode(b"releases/1.0/\xff.py")).write_text("x")
        (root / "releases/1.0/\x1b[2J.py").write_text("x")
        result = client.ask("verify", version="1.0")
        assert result["extra"] == ["\\udcff.py", "\\x1b[2J.py"]
        assert result["tree_sha256"] != shop.tree_sha256


def test_a_release_that_is_not_here_is_missing(root: Path) -> None:
    for lock in (False, True):
        with agent(root, lock=lock) as client, pytest.raises(AgentFailure) as caught:
            client.ask("verify", version="1.0")
        assert caught.value.code == "missing"
