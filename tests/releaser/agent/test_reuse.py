from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.agent_client import AgentClient, AgentFailure, agent
from support.archives import Artifact, make_artifact


def prepared(client: AgentClient, artifact: Artifact) -> None:
    client.ask("prepare", archive=artifact.archive, **artifact.request())


def spoil_content(release: Path) -> None:
    file = release / "app/main.py"
    text = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(text.replace(b"1", b"2"))
    file.chmod(0o444)


def spoil_size(release: Path) -> None:
    with (release / "app/main.py").open("ab") as file:
        file.write(b"#")


def spoil_mode(release: Path) -> None:
    (release / "bin/shop").chmod(0o444)


def spoil_by_removal(release: Path) -> None:
    (release / "app/empty.txt").unlink()


def spoil_link(release: Path) -> None:
    (release / "app/latest").unlink()
    (release / "app/latest").symlink_to("empty.txt")


def spoil_kind(release: Path) -> None:
    (release / "app/media").rmdir()
    (release / "app/media").write_text("")


class Reader(threading.Thread):
    """Opens a file again and again, and counts how often it is not there."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._over = threading.Event()
        self.looks = self.misses = 0

    def begin(self) -> None:
        self.start()
        while not self.looks:
            time.sleep(0.001)

    def run(self) -> None:
        while not self._over.is_set():
            self.looks += 1
            try:
                self._path.read_bytes()
            except OSError:
                self.misses += 1

    def end(self) -> None:
        self._over.set()
        if self.ident is not None:
            self.join()


@contextmanager
def reader_of(path: Path) -> Iterator[Reader]:
    reader = Reader(path)
    try:
        yield reader
    finally:
        reader.end()


QUICK = [spoil_size, spoil_mode, spoil_by_removal, spoil_link, spoil_kind]


def test_a_release_that_is_there_is_used_as_it_is(root: Path, shop: Artifact) -> None:
    with agent(root) as client:
        prepared(client, shop)
        before = (root / "releases/1.0").stat().st_ino
        result = client.ask("prepare", **shop.request())
        assert client.events == []
    assert result == {
        "tree_sha256": shop.tree_sha256,
        "fetched": 0,
        "ways": {},
        "reused": True,
        "notes": [],
    }
    assert (root / "releases/1.0").stat().st_ino == before


@pytest.mark.parametrize("spoil", QUICK)
def test_a_spoilt_release_is_rebuilt(spoil, root: Path, shop: Artifact) -> None:  # type: ignore[no-untyped-def]
    with agent(root) as client:
        prepared(client, shop)
        spoil(root / "releases/1.0")
        result = client.ask("prepare", archive=shop.archive, **shop.request())
        assert not result["reused"]
        verified = client.ask("verify", version="1.0")
        assert verified["tree_sha256"] == shop.tree_sha256


def test_other_content_of_the_same_size_is_found_when_asked_to_verify(
    root: Path, shop: Artifact
) -> None:
    with agent(root) as client:
        prepared(client, shop)
        spoil_content(root / "releases/1.0")
        assert client.ask("prepare", **shop.request())["reused"]
        request = shop.request(verify=True)
        assert not client.ask("prepare", archive=shop.archive, **request)["reused"]
        assert client.ask("prepare", **shop.request(verify=True))["reused"]


@pytest.mark.parametrize("spoil", [*QUICK, spoil_content])
def test_a_spoilt_release_that_is_served_changes_places_with_a_whole_one(  # type: ignore[no-untyped-def]
    spoil, root: Path, shop: Artifact
) -> None:
    with agent(root) as client, reader_of(root / "current" / "bin" / "shop") as reader:
        prepared(client, shop)
        client.ask("activate", version="1.0", release="r1")
        reader.begin()
        before = (root / "releases/1.0").stat().st_ino
        spoil(root / "releases/1.0")
        result = client.ask("prepare", archive=shop.archive, **shop.request(verify=True))
        assert (result["reused"], result["tree_sha256"]) == (False, shop.tree_sha256)
        assert client.ask("verify", version="1.0")["differing"] == 0
        (old,) = (root / ".castoff/trash").iterdir()
        assert old.stat().st_ino == before
    assert str((root / "current").readlink()) == "releases/1.0"
    assert reader.looks > 0
    assert reader.misses == 0


def test_a_spoilt_release_that_is_served_stays_until_a_whole_one_is_there(
    root: Path, shop: Artifact
) -> None:
    with agent(root) as client:
        prepared(client, shop)
        client.ask("activate", version="1.0", release="r1")
        spoil_content(root / "releases/1.0")
        before = (root / "releases/1.0").stat().st_ino
        with pytest.raises(AgentFailure):
            client.ask("prepare", archive=b"no archive", **shop.request(verify=True))
    assert (root / "releases/1.0").stat().st_ino == before


def test_a_file_that_is_not_part_of_it_is_a_reason_to_make_it_anew_where_that_is_wanted(
    root: Path, shop: Artifact
) -> None:
    with agent(root) as client:
        prepared(client, shop)
        (root / "releases/1.0/app/left.py").write_text("x")
        request = shop.request(verify=True, exact=True)
        assert not client.ask("prepare", archive=shop.archive, **request)["reused"]
    assert not (root / "releases/1.0/app/left.py").exists()


def test_what_a_prepare_would_fetch_is_foreseen(root: Path, shop: Artifact) -> None:
    whole = {"fetch": len(shop.archive), "ways": {"archive": len(shop.archive)}, "damage": None}
    nothing = {"fetch": 0, "ways": {}, "damage": None}
    with agent(root, lock=False) as reader:
        assert reader.ask("foresee", **shop.request()) == whole
    with agent(root) as client:
        prepared(client, shop)
    with agent(root, lock=False) as reader:
        assert reader.ask("foresee", **shop.request()) == nothing
        elsewhere = shop.request(shared=["app/media/"])
        assert reader.ask("foresee", **elsewhere) == nothing
        spoil_content(root / "releases/1.0")
        damaged = reader.ask("foresee", **shop.request())
        assert damaged["fetch"] == len(shop.archive)
        assert "app/main.py" in damaged["damage"]
    assert not (root / ".castoff/staging/tree").exists()


def test_without_a_source_a_spoilt_release_is_named_and_left(root: Path, shop: Artifact) -> None:
    with agent(root) as client:
        prepared(client, shop)
        spoil_content(root / "releases/1.0")
        with pytest.raises(AgentFailure, match=r"app/main\.py") as caught:
            client.ask("prepare", **shop.request(sources=[], verify=True))
        assert caught.value.code == "corrupt"
    assert (root / "releases/1.0").exists()


def test_a_file_that_the_app_left_in_its_release_is_noted_and_no_hindrance(
    root: Path, shop: Artifact
) -> None:
    with agent(root) as client:
        prepared(client, shop)
        (root / "releases/1.0/app/celerybeat-schedule").write_text("x")
        result = client.ask("prepare", **shop.request(sources=[], verify=True))
        assert result["reused"]
        assert "app/celerybeat-schedule" in result["notes"][0]


def test_a_version_of_other_bytes_is_rebuilt_unless_it_is_served(
    root: Path, shop: Artifact
) -> None:
    other = make_artifact("1.0", {"app/main.py": b"another\n"})
    with agent(root) as client:
        prepared(client, shop)
        assert not client.ask("prepare", archive=other.archive, **other.request())["reused"]
        client.ask("activate", version="1.0", release="r1")
        with pytest.raises(AgentFailure, match="another manifest") as caught:
            client.ask("prepare", archive=shop.archive, **shop.request())
        assert caught.value.code == "corrupt"
    assert (root / "releases/1.0/app/main.py").read_bytes() == b"another\n"


def test_a_folder_that_castoff_did_not_make_is_moved_aside(root: Path, shop: Artifact) -> None:
    (root / "releases/1.0").mkdir(parents=True)
    (root / "releases/1.0/by-hand").write_text("")
    with agent(root) as client:
        assert client.ask("state")["state"]["releases"] == []
        assert not client.ask("prepare", archive=shop.archive, **shop.request())["reused"]
    assert not (root / "releases/1.0/by-hand").exists()


def test_a_damaged_release_stays_until_a_whole_one_can_take_its_place(
    root: Path, shop: Artifact
) -> None:
    with agent(root) as client:
        prepared(client, shop)
        spoil_content(root / "releases/1.0")
        with pytest.raises(AgentFailure):
            client.ask("prepare", archive=b"no archive", **shop.request(verify=True))
        assert (root / "releases/1.0/app/main.py").exists()
        client.ask("prepare", archive=shop.archive, **shop.request(verify=True))
        found = client.ask("verify", version="1.0")
    assert not found["changed"] + found["missing"] + found["extra"]
