"""What the garbage collector removes, when, and what it must never touch."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from castoff.store import condemned, keys
from castoff.store.artifacts import push
from castoff.store.condemned import BeingRemoved
from castoff.store.errors import CorruptArtifact, StoreError
from castoff.store.file import FileStore
from castoff.store.garbage import Survey, Terms, collect, survey
from castoff.store.public.folder import PublicFolder
from castoff.store.public.place import FOR_EVER, Headers
from castoff.store.public.publish import publish_files
from support.written_artifact import hashed, write_public

GRACE = 100.0
SHARED = {"css/app.css": b"shared"}


@pytest.fixture
def place(tmp_path: Path) -> PublicFolder:
    return PublicFolder(tmp_path / "public", url="file://public")


@pytest.fixture
def now(file_store: FileStore, place: PublicFolder, tmp_path: Path) -> float:
    """Push versions 1 to 3, each with an asset of its own; return when all of them are old."""
    for version in ("1", "2", "3"):
        publish(file_store, place, tmp_path, version)
    latest = max(entry.modified for entry in file_store.entries("shop/"))
    return latest + 2 * GRACE


def publish(store: FileStore, place: PublicFolder, folder: Path, version: str) -> None:
    assets = {**SHARED, "js/app.js": version.encode()}
    artifact = write_public(folder / "artifacts", "shop", version, assets)
    publish_files(store, place, artifact)
    push(store, artifact)


def needed(*versions: str) -> Mapping[str, str]:
    return dict.fromkeys(versions, "live in production")


def run(
    store: FileStore, place: PublicFolder, now: float, *versions: str, grace: float = GRACE
) -> Survey:
    return collect(store, "shop", lambda: needed(*versions), Terms(grace, now), place=place)


def there(store: FileStore) -> set[str]:
    prefix = keys.artifacts("shop")
    return {e.key.removeprefix(prefix).partition("/")[0] for e in store.entries(prefix)}


def own(version: str) -> str:
    return hashed("js/app.js", version.encode())


def test_what_nobody_needs_is_condemned_first_and_removed_after_the_grace_time(
    file_store: FileStore, place: PublicFolder, now: float
) -> None:
    first = run(file_store, place, now, "3")
    assert [(one.name, one.due) for one in first.versions] == [("1", False), ("2", False)]
    assert there(file_store) == {"1", "2", "3"}

    again = run(file_store, place, now + GRACE - 1, "3")
    assert there(file_store) == {"1", "2", "3"}
    assert [one.since for one in again.versions] == [now, now]

    last = run(file_store, place, now + GRACE, "3")
    assert [(one.name, one.due) for one in last.versions] == [("1", True), ("2", True)]
    assert there(file_store) == {"3"}
    assert last.kept == {"3": "live in production"}
    assert not condemned.read(file_store, "shop")[0].swept_versions


def test_assets_go_only_once_no_version_names_them(
    file_store: FileStore, place: PublicFolder, now: float
) -> None:
    run(file_store, place, now, "3")
    run(file_store, place, now + GRACE, "3")
    assert set(place.listing()) == {hashed("css/app.css", b"shared"), own("1"), own("2"), own("3")}
    place.put("robots.txt", b"not ours", Headers("text/plain", None, FOR_EVER))
    run(file_store, place, now + 2 * GRACE, "3")
    left = {hashed("css/app.css", b"shared"), own("3"), "robots.txt"}
    assert set(place.listing()) == left, "whatever no version has named is somebody else's"


def test_what_a_push_left_that_never_ended_goes_too(
    file_store: FileStore, place: PublicFolder, now: float, tmp_path: Path
) -> None:
    artifact = write_public(tmp_path / "artifacts", "shop", "4", {"js/app.js": b"4"})
    publish_files(file_store, place, artifact)
    later = now + 10 * GRACE
    for round_ in range(3):
        run(file_store, place, later + round_ * GRACE, "1", "2", "3")
    assert there(file_store) == {"1", "2", "3"}
    assert own("4") not in place.listing()


def test_a_dry_run_changes_nothing(
    file_store: FileStore, place: PublicFolder, now: float, tmp_path: Path
) -> None:
    run(file_store, place, now, "3")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    terms = Terms(GRACE, now + GRACE)
    found = survey(file_store, "shop", lambda: needed("3"), terms, place=place)
    assert [one.name for one in found.versions if one.due] == ["1", "2"]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_is_new_stays_though_nobody_needs_it_yet(
    file_store: FileStore, place: PublicFolder, now: float
) -> None:
    found = run(file_store, place, now - 2 * GRACE + 1)
    assert set(found.kept.values()) == {"new in the store"}
    assert found.files == ()


def test_whoever_uses_what_is_condemned_saves_it(
    file_store: FileStore, place: PublicFolder, now: float
) -> None:
    run(file_store, place, now, "3")
    condemned.spare(file_store, "shop", version="1")
    run(file_store, place, now + GRACE, "3")
    assert there(file_store) == {"1", "3"}
    run(file_store, place, now + 2 * GRACE, "3")
    assert there(file_store) == {"3"}, "its grace time began anew"


def test_a_push_saves_the_assets_that_it_does_not_send_again(
    file_store: FileStore, place: PublicFolder, now: float, tmp_path: Path
) -> None:
    run(file_store, place, now, "3")
    run(file_store, place, now + GRACE, "3")
    assert own("1") in condemned.read(file_store, "shop")[0].files
    publish(file_store, place, tmp_path, "1")
    run(file_store, place, now + 2 * GRACE, "3")
    assert own("1") in place.listing()


@pytest.mark.usefixtures("now")
def test_what_is_being_removed_is_refused_to_everybody(
    file_store: FileStore, place: PublicFolder, tmp_path: Path
) -> None:
    document, etag = condemned.read(file_store, "shop")
    swept = document.model_copy(update={"swept_versions": ("1",), "swept_files": (own("2"),)})
    condemned.write(file_store, "shop", swept, etag=etag)
    with pytest.raises(BeingRemoved, match="shop 1 is being removed"):
        condemned.spare(file_store, "shop", version="1")
    with pytest.raises(BeingRemoved, match="an asset of shop, is being removed"):
        publish(file_store, place, tmp_path, "2")


def test_a_collector_that_was_killed_is_followed_by_one_that_goes_on(
    file_store: FileStore, place: PublicFolder, now: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(file_store, place, now, "3")
    honest = FileStore.delete
    left = iter(range(3))

    def deadly(store: FileStore, key: str) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        honest(store, key)

    monkeypatch.setattr(FileStore, "delete", deadly)
    with pytest.raises(KeyboardInterrupt):
        run(file_store, place, now + GRACE, "3")
    monkeypatch.setattr(FileStore, "delete", honest)
    with pytest.raises(BeingRemoved):
        condemned.spare(file_store, "shop", version="1")
    run(file_store, place, now + GRACE + 1, "1", "3")
    assert there(file_store) == {"3"}, "half of it was gone: not even the needed one can stay"
    assert not condemned.read(file_store, "shop")[0].swept_versions


def test_a_version_that_lost_its_race_leaves_its_archive_to_the_collector(
    file_store: FileStore, place: PublicFolder, now: float, tmp_path: Path
) -> None:
    stray = "shop/artifacts/3/archive." + "0" * 64 + ".tar.gz"
    path = tmp_path / "stray"
    path.write_bytes(b"x")
    file_store.create(stray, b"x")
    assert run(file_store, place, now - 2 * GRACE, "3").strays == ()
    found = run(file_store, place, now + GRACE, "3")
    assert [one.key for one in found.strays] == [stray]
    assert stray not in {entry.key for entry in file_store.entries("shop/")}
    assert run(file_store, place, now + GRACE, "3").strays == ()


def test_a_list_of_assets_that_cannot_be_read_stops_everything(
    file_store: FileStore, place: PublicFolder, now: float, tmp_path: Path
) -> None:
    run(file_store, place, now, "3")
    (path,) = (tmp_path / "store/shop/artifacts/3").glob("assets.*.json")
    path.chmod(0o644)
    path.write_bytes(b"{}")
    with pytest.raises(CorruptArtifact, match="not a list of assets"):
        run(file_store, place, now + GRACE, "3")
    assert there(file_store) == {"1", "2", "3"}


def test_a_collector_whose_list_is_changed_again_and_again_gives_up(
    file_store: FileStore, place: PublicFolder, now: float
) -> None:
    def meddle() -> Mapping[str, str]:
        document, etag = condemned.read(file_store, "shop")
        condemned.write(file_store, "shop", document, etag=etag)
        return needed("3")

    with pytest.raises(StoreError, match="changed by many at once"):
        collect(file_store, "shop", meddle, Terms(GRACE, now), place=place)
    assert there(file_store) == {"1", "2", "3"}


def test_a_version_that_becomes_needed_while_it_is_judged_stays(
    file_store: FileStore, place: PublicFolder, now: float
) -> None:
    run(file_store, place, now, "3")
    looks = 0

    def judge() -> Mapping[str, str]:
        nonlocal looks
        looks += 1
        if looks == 1:
            condemned.spare(file_store, "shop", version="1")
        return needed("3") if looks == 1 else needed("1", "3")

    collect(file_store, "shop", judge, Terms(GRACE, now + GRACE), place=place)
    assert looks == 2
    assert there(file_store) == {"1", "3"}


def test_collectors_and_pushes_at_once_lose_nothing(
    file_store: FileStore, place: PublicFolder, now: float, tmp_path: Path
) -> None:
    """Version 1 is pushed again and again while collectors would like to remove it."""
    refused: list[Exception] = []
    stop = threading.Event()

    def sweep() -> None:
        moment = now
        while not stop.is_set():
            moment += GRACE
            try:
                run(file_store, place, moment, "3")
            except StoreError as error:
                refused.append(error)

    collectors = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in collectors:
        thread.start()
    good = 0
    for _ in range(25):
        try:
            publish(file_store, place, tmp_path, "1")
        except StoreError:
            continue
        good += 1
    stop.set()
    for thread in collectors:
        thread.join()
    while True:
        try:
            publish(file_store, place, tmp_path, "1")
            break
        except BeingRemoved:
            run(file_store, place, now, "1", "3")
    assert good
    assert {own("1"), own("3"), hashed("css/app.css", b"shared")} <= set(place.listing())
    assert {"1", "3"} <= there(file_store)
