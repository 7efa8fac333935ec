"""`castoff rollback --to-backup`: checks, the page, the data, then the code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser import resume as resuming
from castoff.releaser.backups import in_rollback
from castoff.releaser.backups import restore as restoring
from castoff.releaser.backups.in_rollback import chosen
from castoff.releaser.backups.known import survey
from castoff.releaser.backups.lost import age, what_is_lost
from castoff.releaser.errors import HostError, NotActivated, RolledBack
from castoff.releaser.job import Job, Scope
from castoff.releaser.record import on_record
from castoff.releaser.release import resolve, run
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import history, run_document
from castoff.store.errors import UsageError
from support.backed_up import back_up_step, names, write
from support.engine import live
from support.local_scope import make_scope

SEEN = {
    "name": "look",
    "moment": "before_activate",
    "command": "test -L $CASTOFF_ROOT/maintenance && echo page >>$CASTOFF_SHARED/seen; true",
}


def release(scope: Scope, version: str) -> None:
    run(resolve(scope, "release", version), Timeline(Silent()))


def back(scope: Scope, *wanted: str, **changes: Any) -> Job:
    job = replace(
        resolve(scope, "rollback", "1"), restores=chosen(scope, "1", wanted, None), **changes
    )
    run(job, Timeline(Silent()))
    return job


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    made = make_scope(tmp_path, [back_up_step(), SEEN], hosts=2)
    write(tmp_path, "tea")
    release(made, "1")
    write(tmp_path, "of 1")
    release(made, "2")
    write(tmp_path, "of 2")
    return made


def test_data_and_code_go_back_together_behind_the_page(scope: Scope, tmp_path: Path) -> None:
    back(scope, "latest", maintenance="on")
    assert names(tmp_path) == ["tea", "of 1"]
    assert live(scope) == ["1", "1"]
    assert on_record(scope) == "1"
    (entry,) = history.entries(scope.store, "pages", "production", limit=1)
    said = [line for host in entry.hosts for step in host.steps for line in step.output]
    assert any("To go back: sqlite3" in line for line in said)
    hosts = tmp_path / "hosts"
    assert {(hosts / host / "shared/seen").read_text() for host in ("web1", "web2")} == {"page\n"}
    assert not any((hosts / host / "maintenance").is_symlink() for host in ("web1", "web2"))


def test_what_would_be_lost_is_said(scope: Scope) -> None:
    (one,) = chosen(scope, "1", ["latest"], None)
    lines = list(what_is_lost(scope, one.known, now=one.known.backup.time + 3700))
    assert "1 was live (before 2)" in lines[0]
    assert "in 1 h 1 min" in lines[1]
    assert lines[2].startswith("since then: #2 release 2, released")
    assert len(lines) == 3
    assert age(0) == "0 s"


def test_a_damaged_one_stops_it_before_the_page_the_data_and_the_code(
    scope: Scope, tmp_path: Path
) -> None:
    one = survey(scope).found[-1].backup
    data = tmp_path / "hosts/web1/backups" / one.file
    data.write_bytes(data.read_bytes()[:-5])
    with pytest.raises(NotActivated, match="cut short"):
        back(scope, one.id, maintenance="on")
    assert names(tmp_path) == ["tea", "of 1", "of 2"]
    assert live(scope) == ["2", "2"]


def test_each_that_is_restored_is_told_of_at_once(
    scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What knows which migrations a database has must hear of one even if a later one fails."""
    one = chosen(scope, "1", ["latest"], None)[0]
    told: list[str] = []
    real = restoring.restore

    def restore(*words: Any, **how: Any) -> Any:
        if told and not how["only_check"]:
            raise HostError("web1", "the second one fails", code="step-failed")
        return real(*words, **how)

    monkeypatch.setattr(in_rollback, "restore", restore)
    monkeypatch.setattr(
        "castoff.releaser.phases.Ledger.reverse_all_but", lambda _, version: told.append(version)
    )
    second = replace(one, step=one.step.model_copy(update={"name": "second"}))
    job = replace(resolve(scope, "rollback", "1"), restores=(one, second))
    with pytest.raises(NotActivated, match="the second one fails"):
        run(job, Timeline(Silent()))
    assert told == ["1"]


def test_a_rollback_that_fails_after_it_tells_whose_data_there_is(
    scope: Scope, tmp_path: Path
) -> None:
    fails = {"name": "check", "moment": "after_activate", "command": "test $CASTOFF_VERSION = 2"}
    failing = make_scope(tmp_path, [back_up_step(), fails], hosts=2)
    with pytest.raises(RolledBack) as caught:
        back(failing, "latest")
    assert names(tmp_path) == ["tea", "of 1"]
    assert live(scope) == ["2", "2"]
    assert "The data is that of the back-up" in caught.value.hint
    assert ".restore" in caught.value.hint


def test_one_that_was_interrupted_before_it_restored_is_not_resumed_without(
    scope: Scope, tmp_path: Path
) -> None:
    one = survey(scope).found[-1].backup
    seen = run_document.read(scope.store, "pages", "production")
    assert seen is not None
    left = seen[0].model_copy(
        update={
            "kind": "rollback",
            "version": "1",
            "restores": (one.id,),
            "phase": "restore",
            "over": False,
            "release": "interrupted",
        }
    )
    run_document.write(scope.store, "pages", "production", left, etag=seen[1])
    with pytest.raises(UsageError, match="had not restored") as caught:
        resuming.resume(scope, Timeline(Silent()))
    assert f"castoff rollback 1 --to-backup {one.id}" in caught.value.hint
    back(scope, one.id)
    assert names(tmp_path) == ["tea", "of 1"]


def test_what_cannot_be_meant_is_refused(scope: Scope) -> None:
    with pytest.raises(UsageError, match="no back-up 'other'"):
        chosen(scope, "1", ["other"], None)
    with pytest.raises(UsageError, match="while 3 was live"):
        chosen(scope, "3", ["latest"], None)
