"""The history grows and never changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from castoff.store import history, keys
from castoff.store.backend import Store
from castoff.store.commits import CommitRow, Commits
from castoff.store.deed import DeedDraft, PrunedRow
from castoff.store.errors import CorruptArtifact, UsageError
from castoff.store.file import FileStore
from castoff.store.planned import Planned, PlannedHost, PlannedOnce, PlannedStep


def draft(version: str = "1.0") -> history.Draft:
    return history.Draft(
        kind="release",
        version=version,
        from_version=None,
        outcome="released",
        who="ana@laptop",
        started=1_700_000_000.25,
        ended=1_700_000_060.5,
        commit="c" * 40,
        detail="",
        activation_seconds=1.5,
        hosts=(
            history.HostRow(
                name="web1",
                downtime_seconds=0.75,
                steps=(history.StepRow(name="fetch", started=1.0, seconds=2.0, ok=True),),
            ),
            history.HostRow(name="web2", downtime_seconds=None, steps=()),
        ),
    )


def deed(reason: str = "stocktaking") -> DeedDraft:
    return DeedDraft(kind="lock", who="ana@laptop", at=1.5, reason=reason)


def test_an_environment_without_releases_has_no_history(store: Store) -> None:
    assert history.entries(store, "shop", "production") == []


def test_an_entry_reads_as_it_was_written(store: Store) -> None:
    written = history.append(store, "shop", "production", draft())

    assert history.entries(store, "shop", "production") == [written]
    assert written.number == 1
    assert written.hosts == draft().hosts
    assert written.activation_seconds == 1.5


def test_the_newest_come_first_and_no_more_than_asked_for(store: Store) -> None:
    for number in range(1, 13):
        history.append(store, "shop", "production", draft(f"1.{number}"))

    found = history.entries(store, "shop", "production", limit=3)

    assert [entry.version for entry in found] == ["1.12", "1.11", "1.10"]
    assert [entry.number for entry in history.entries(store, "shop", "production")] == [
        *range(12, 0, -1)
    ]
    assert history.entries(store, "shop", "staging") == []


def test_gaps_and_strangers_are_passed_over(file_store: FileStore) -> None:
    for _ in range(3):
        history.append(file_store, "shop", "production", draft())
    file_store.delete(keys.history("shop", "production", 2))
    file_store.create(keys.history("shop", "production") + "notes.txt", b"a user's own")

    assert history.append(file_store, "shop", "production", draft()).number == 4
    found = history.entries(file_store, "shop", "production")
    assert [entry.number for entry in found] == [4, 3, 1]


def test_the_documents_are_named_so_that_they_sort(file_store: FileStore, tmp_path: Path) -> None:
    history.append(file_store, "shop", "production", draft())

    folder = tmp_path / "store/shop/environments/production/history"
    assert [path.name for path in folder.iterdir()] == ["00000001.json"]


def test_a_damaged_entry_is_named(file_store: FileStore) -> None:
    file_store.create(keys.history("shop", "production", 7), b"{}")

    with pytest.raises(CorruptArtifact, match=r"history/00000007\.json"):
        history.entries(file_store, "shop", "production")


def test_one_entry_is_found_by_its_number_or_as_the_newest(file_store: FileStore) -> None:
    for version in ("1.0", "2.0", "3.0"):
        history.append(file_store, "shop", "production", draft(version))

    assert history.find(file_store, "shop", "production", 2).version == "2.0"
    assert history.find(file_store, "shop", "production", None).version == "3.0"


def test_an_entry_that_is_not_there_is_a_mistake_in_the_command(file_store: FileStore) -> None:
    with pytest.raises(UsageError, match="not been released to production yet"):
        history.find(file_store, "shop", "production", None)
    history.append(file_store, "shop", "production", draft())
    with pytest.raises(UsageError, match="no entry 9"):
        history.find(file_store, "shop", "production", 9)


def test_an_entry_from_before_a_field_was_there_still_reads(file_store: FileStore) -> None:
    history.append(file_store, "shop", "production", draft())
    key = keys.history("shop", "production", 1)
    document = json.loads(file_store.read(key).data)
    for name in ("skew_seconds", "only", "quarantined", "job_url", "commits", "plan"):
        del document[name]
    for host in document["hosts"]:
        for name in ("roles", "flipped", "healthy"):
            del host[name]
        for step in host["steps"]:
            for name in ("phase", "output", "left_out"):
                del step[name]
    file_store.create(keys.history("shop", "production", 2), json.dumps(document).encode())

    old = history.find(file_store, "shop", "production", 2)
    assert old.hosts == draft().hosts
    assert (old.skew_seconds, old.job_url, old.commits, old.plan) == (None, "", None, None)


def test_what_was_planned_and_which_commits_came_reads_as_it_was_written(store: Store) -> None:
    step = PlannedStep(moment="activate", name="restart")
    host = PlannedHost(name="web1", serves="1.0", fetch=1_000, batch=1, steps=(step,))
    once = PlannedOnce(moment="once", name="migrate", leader="web1")
    changes = {
        "plan": Planned(hosts=(host,), once=(once,), shared=("media/",)),
        "commits": Commits(gained=(CommitRow(id="abc1234", subject="Größe"),), gained_count=70),
        "job_url": "https://ci.example/job/7",
    }
    written = history.append(store, "shop", "production", draft().model_copy(update=changes))

    assert history.find(store, "shop", "production", written.number) == written
    assert written.plan == changes["plan"]
    assert written.commits == changes["commits"]


def test_deeds_and_runs_share_their_numbers_and_keep_apart(file_store: FileStore) -> None:
    where = (file_store, "shop", "production")
    history.append(*where, draft("1.0"))
    done = history.append_deed(*where, deed())
    history.append(*where, draft("2.0"))

    assert done.number == 2
    assert [entry.number for entry in history.everything(*where)] == [3, 2, 1]
    assert history.everything(*where, limit=2)[1] == done
    assert [entry.version for entry in history.entries(*where)] == ["2.0", "1.0"]
    assert history.look_up(*where, 2) == done
    with pytest.raises(UsageError, match="entry 2 of shop in production is not a release"):
        history.find(*where, 2)


def test_any_number_of_deeds_pushes_no_run_out_of_sight(file_store: FileStore) -> None:
    where = (file_store, "shop", "production")
    history.append(*where, draft("1.0"))
    history.append(*where, draft("2.0"))
    for _ in range(60):
        history.append_deed(*where, deed())

    assert history.find(*where, None).version == "2.0"
    assert [entry.version for entry in history.entries(*where, limit=2)] == ["2.0", "1.0"]


def test_what_a_prune_did_on_each_host_is_kept(file_store: FileStore) -> None:
    rows = (PrunedRow(name="web1", removed=("1.0",), freed=4096), PrunedRow(name="web2"))
    where = (file_store, "shop", "production")
    draft_ = DeedDraft(kind="prune", who="ana@laptop", at=1.5, hosts=rows)
    history.append_deed(*where, draft_)

    (found,) = history.everything(*where)
    assert found.hosts == rows
