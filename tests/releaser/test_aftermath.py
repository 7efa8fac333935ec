"""What follows a run: who is told of it, in which words, and that it keeps its outcome."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.errors import RolledBack
from castoff.releaser.job import Kind, Scope
from castoff.releaser.notify.teller import Teller
from castoff.releaser.release import look_ahead, resolve, run
from castoff.releaser.repository import NoRepository
from castoff.releaser.resume import abort, resume
from castoff.releaser.timeline import Timeline
from castoff.store import history, lease, remarks
from castoff.store.commits import CommitRow, Commits
from castoff.store.errors import StoreError, UsageError
from support.engine import RESTART, Ears, check, faulty, outcomes
from support.local_scope import make_scope
from support.memory_fleet import ControllerDied, Fault, MemoryFleet
from support.receiver import Receiver, receiver
from support.unwritable import Unwritable

EVERYTHING = ("started", "prepared", "released", "rolled back", "mixed", "failed", "interrupted")


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def told_scope(folder: Path, url: str, steps: list[dict[str, Any]], **more: Any) -> Scope:
    way = {"name": "board", "on": EVERYTHING, "webhook": {"url": url}, "timeout": 5.0}
    more.setdefault("report_url", "https://reports.example/{app}/{environment}/{n}-{version}.html")
    return make_scope(folder, steps, hosts=2, notify=(way,), **more)


def go(scope: Scope, kind: Kind, version: str) -> list[str]:
    """Run on hosts in memory; return the notes."""
    ears, fleet = Ears(), MemoryFleet()
    try:
        run(resolve(scope, kind, version), Timeline(ears), connect=fleet.connect)
    finally:
        fleet.hang_up()
    return ears.notes


def told(server: Receiver) -> list[str]:
    return [
        f"{one.json['kind']} {one.json['version']} {one.json['outcome']}" for one in server.posts
    ]


class Named(NoRepository):
    """A repository that knows of one commit and takes tags down."""

    def __init__(self, trouble: str = "") -> None:
        self.tags: list[tuple[str, str, str, str]] = []
        self.trouble = trouble

    def between(self, before: str, after: str) -> Commits:
        del before, after
        return Commits(gained=(CommitRow(id="abc1234", subject="Sell socks"),), gained_count=1)

    def tag(self, name: str, commit: str, message: str, **how: Any) -> None:
        if self.trouble:
            raise UsageError(self.trouble, hint="git tag by hand")
        self.tags.append((name, commit, message, how["push"]))


def test_each_run_is_told_at_its_start_and_with_what_came_of_it(
    tmp_path: Path, server: Receiver
) -> None:
    scope = replace(told_scope(tmp_path, server.url, [RESTART]), repository=Named())
    go(scope, "release", "1")
    go(scope, "prepare", "2")
    go(scope, "activate", "2")
    go(scope, "rollback", "1")
    assert told(server) == [
        "release 1 started",
        "release 1 released",
        "prepare 2 started",
        "prepare 2 prepared",
        "activate 2 started",
        "activate 2 released",
        "rollback 1 started",
        "rollback 1 released",
    ]
    last = server.posts[5].json
    entry = history.find(scope.store, scope.app, "production", 3)
    assert last["number"] == 3
    assert last["report_url"] == "https://reports.example/pages/production/3-2.html"
    assert (last["from_version"], last["who"]) == ("1", "somebody@here")
    assert last["activation_seconds"] == entry.activation_seconds
    assert last["downtime_seconds"] == max(h.downtime_seconds or 0 for h in entry.hosts)
    assert last["notes"]["sections"][0]["commits"][0]["text"] == "Sell socks"


def test_a_run_that_fails_is_told_with_what_went_wrong(tmp_path: Path, server: Receiver) -> None:
    scope = told_scope(tmp_path, server.url, [RESTART, check('[ "$CASTOFF_VERSION" = 1 ]')])
    go(scope, "release", "1")
    with pytest.raises(RolledBack):
        go(scope, "release", "2")
    assert told(server)[-1] == "release 2 rolled back"
    assert "check" in server.posts[-1].json["detail"]


def test_a_plan_tells_nobody(tmp_path: Path, server: Receiver) -> None:
    scope = told_scope(tmp_path, server.url, [RESTART])
    fleet = MemoryFleet()
    look_ahead(resolve(scope, "release", "1"), connect=fleet.connect)
    fleet.hang_up()
    assert server.posts == []


@pytest.mark.parametrize(
    ("ending", "last"), [(resume, "release 2 released"), (abort, "release 2 rolled back")]
)
def test_what_a_dead_controller_left_is_told_once_it_has_come_to_an_end(
    tmp_path: Path, server: Receiver, ending: Any, last: str
) -> None:
    scope = told_scope(tmp_path, server.url, [RESTART], limits={"lease": 1.0})
    go(scope, "release", "1")
    with pytest.raises(ControllerDied):
        faulty(scope, "release", "2", Fault("web2", "activate", before=False, dies=True))
    server.posts.clear()
    fleet = MemoryFleet()
    ending(scope, Timeline(Ears()), connect=fleet.connect)
    fleet.hang_up()
    assert told(server) == ["release 2 started", last]


def test_the_lock_is_free_while_people_are_told(tmp_path: Path, server: Receiver) -> None:
    scope = told_scope(tmp_path, server.url, [RESTART])
    seen: list[bool] = []
    taken = server.next_status

    def look() -> int | None:
        if server.posts[-1].json["outcome"] != "started":
            held = lease.acquire(scope.store, scope.app, "production", owner="x", reason="try")
            seen.append(True)
            lease.release(held)
        return taken()

    server.next_status = look  # type: ignore[method-assign]
    go(scope, "release", "1")
    assert seen == [True]


def test_nobody_who_cannot_be_told_changes_how_a_run_ends(tmp_path: Path) -> None:
    with receiver(500) as server:
        scope = told_scope(tmp_path, f"{server.url}/hook/very-secret", [RESTART])
        notes = go(scope, "release", "1")
    assert outcomes(scope) == ["release 1 released"]
    start, end = (note for note in notes if "'board'" in note)
    failed = "was not sent: 127.0.0.1 answers with status 500"
    assert start == f"notification 'board' of the run's start {failed}"
    again = "try again: castoff notify 1 --env production --to board"
    assert end == f"notification 'board' of the run's end {failed}; {again}"
    assert not any("very-secret" in note for note in notes)
    # The entry was written before, and whoever looks later finds that beside it.
    assert remarks.read(scope.store, scope.app, "production", 1) == (start, end)
    assert [one.number for one in history.everything(scope.store, scope.app, "production")] == [1]


def test_a_mixed_end_is_told_even_where_the_store_does_not_take_it(
    tmp_path: Path, server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = told_scope(tmp_path, server.url, [RESTART, check('[ "$CASTOFF_VERSION" = 1 ]')])
    go(scope, "release", "1")

    def full(*_: object) -> None:
        raise StoreError("the store is full")

    monkeypatch.setattr(history, "append", full)
    with pytest.raises(RolledBack):
        go(scope, "release", "2")
    assert told(server)[-1] == "release 2 rolled back"
    assert server.posts[-1].json["number"] is None
    assert server.posts[-1].json["report_url"] is None


def test_a_good_release_to_all_leaves_a_tag_of_its_number(tmp_path: Path) -> None:
    repository = Named()
    made = make_scope(tmp_path, [RESTART], hosts=2, tag={"push": True})
    scope = replace(made, repository=repository)
    go(scope, "release", "1")
    go(scope, "prepare", "2")
    go(scope, "rollback", "1")
    go(replace(scope, partial="web1 of 2"), "release", "2")
    assert [(name, push) for name, _, _, push in repository.tags] == [
        ("release/production/1", "origin"),
        ("release/production/3", "origin"),
    ]
    _, commit, message, _ = repository.tags[1]
    assert commit == "c" * 40
    assert message.startswith("production is back on pages 1 (entry 3)\n\nversion: 1\n")
    assert "abc1234 Sell socks" in message


def test_a_tag_that_cannot_be_made_is_a_line(tmp_path: Path) -> None:
    made = make_scope(tmp_path, [RESTART], hosts=2, tag={})
    notes = go(replace(made, repository=Named("no room for tags")), "release", "1")
    line = "no room for tags; by hand: git tag by hand"
    assert line in notes
    assert remarks.read_all(made.store, made.app, "production", {1, 2}) == {1: (line,)}
    assert outcomes(made) == ["release 1 released"]


def test_not_even_a_defect_there_takes_a_run_its_outcome(
    tmp_path: Path, server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise TypeError("with a secret in it")

    monkeypatch.setattr(Named, "tag", broken)
    monkeypatch.setattr(Named, "origin", broken)
    made = replace(told_scope(tmp_path, server.url, [RESTART], tag={}), repository=Named())
    notes = go(made, "release", "1")
    assert notes[-2:] == [
        "people were not told of the run's end: a defect in Castoff: TypeError",
        "the tag was not made: a defect in Castoff: TypeError",
    ]
    assert outcomes(made) == ["release 1 released"]


def test_whoever_interrupts_the_telling_does_not_undo_the_release(
    tmp_path: Path, server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = told_scope(tmp_path, server.url, [RESTART])

    def interrupted(_: Teller) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(Teller, "wait", interrupted)
    notes = go(scope, "release", "1")
    line = "interrupted while people were being told of the run: some may not know"
    assert line in notes
    assert remarks.read(scope.store, scope.app, "production", 1) == (line,)
    assert outcomes(scope) == ["release 1 released"]


def test_whoever_interrupts_the_tag_is_told_that_it_may_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Named, "tag", interrupted)
    made = make_scope(tmp_path, [RESTART], hosts=2, tag={})
    assert go(replace(made, repository=Named()), "release", "1")[-1].endswith(
        "some may not know, and its tag may be missing"
    )


def test_a_store_that_does_not_take_remarks_fails_no_release(tmp_path: Path) -> None:
    made = make_scope(tmp_path, [RESTART], hosts=2, tag={})
    scope = replace(
        made, repository=Named("no room"), store=Unwritable(made.store, ".remarks.json")
    )
    assert go(scope, "release", "1")[-1].startswith("the history does not have that: ")
    assert outcomes(made) == ["release 1 released"]
