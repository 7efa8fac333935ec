"""What may begin over a run that never came to its end, and what has to wait for that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from castoff.releaser.errors import NotRecorded, PreflightFailed, RolledBack
from castoff.releaser.job import Kind, Scope
from castoff.releaser.partial import Choice, narrow
from castoff.releaser.record import previous_good
from castoff.releaser.resume import abort, resume, unfinished
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store.errors import UsageError
from support.engine import RESTART, Ears, check, faulty, go, live, memory, on_channel, outcomes
from support.local_scope import make_scope
from support.memory_fleet import ControllerDied, Fault, MemoryFleet
from support.unwritable import Unwritable

FAILS_3 = check('test "$CASTOFF_VERSION" != 3')


def killed_amid_flips(folder: Path) -> Scope:
    """Return a scope where a release of 2 has flipped hosts, and its controller is gone."""
    scope = memory(folder, [RESTART])
    with pytest.raises(ControllerDied):
        faulty(scope, "release", "2", Fault("web2", "run", before=True, dies=True))
    assert "2" in live(scope)
    return scope


def killed_while_recording(folder: Path, fault: Fault) -> Scope:
    """Return a scope where 2 is live and healthy, and not or not wholly on record."""
    scope = memory(folder, [RESTART])
    with pytest.raises(ControllerDied):
        faulty(scope, "release", "2", fault)
    assert live(scope) == ["2"] * 3
    return make_scope(folder, [RESTART, FAILS_3])


@pytest.mark.parametrize("kind", ["prepare", "converge"])
def test_neither_prepare_nor_converge_forgets_hosts_that_flipped(
    tmp_path: Path, kind: Kind
) -> None:
    scope = killed_amid_flips(tmp_path)
    with pytest.raises(UsageError, match="the release of 2 in production has not come") as caught:
        go(scope, kind, "3")
    for way in ("castoff resume", "castoff abort", "castoff release VERSION"):
        assert way in caught.value.hint
    abort(scope, Timeline(Silent()))
    assert live(scope) == ["1"] * 3
    go(scope, "prepare", "3")


@pytest.mark.parametrize("kind", ["release", "rollback", "prepare", "activate"])
def test_some_hosts_alone_are_not_released_over_a_run_that_has_flipped_others(
    tmp_path: Path, kind: Kind
) -> None:
    scope = killed_amid_flips(tmp_path)
    with pytest.raises(UsageError, match="has not come to its end"):
        go(narrow(scope, Choice(only="web1")), kind, "3")
    abort(scope, Timeline(Silent()))
    assert live(scope) == ["1"] * 3, "abort is still about all of them"


def test_a_host_that_is_gone_for_good_keeps_nobody_from_going_back(tmp_path: Path) -> None:
    scope = killed_amid_flips(tmp_path)
    left = replace(scope, hosts=scope.hosts[:2])
    with pytest.raises(UsageError, match="does not have any more: web3") as caught:
        resume(left, Timeline(Silent()))
    for way in ("castoff release VERSION", "castoff abort"):
        assert way in caught.value.hint
    ears = Ears()
    abort(left, Timeline(ears))
    assert live(left) == ["1"] * 2
    assert any("GONE: web3" in text for text in ears.notes)
    go(left, "release", "3")


def test_a_host_that_is_gone_for_good_keeps_nobody_from_releasing_again(tmp_path: Path) -> None:
    scope = killed_amid_flips(tmp_path)
    left = replace(scope, hosts=scope.hosts[:2])
    go(left, "release", "3")
    assert live(left) == ["3"] * 2


def test_what_is_live_is_put_on_record_without_a_host_that_is_gone(tmp_path: Path) -> None:
    scope = killed_while_recording(tmp_path, Fault("web2", "confirm", before=True, dies=True))
    left = replace(scope, hosts=scope.hosts[:2])
    ears = Ears()
    resume(left, Timeline(ears))
    assert any("GONE: web3" in text for text in ears.notes)
    assert outcomes(scope)[-1] == "release 2 released"
    with pytest.raises(RolledBack):
        go(left, "release", "3")
    assert live(left) == ["2"] * 2


@pytest.mark.parametrize("op", ["run", "confirm"])
def test_where_all_hosts_of_a_run_are_gone_a_release_is_the_way(tmp_path: Path, op: str) -> None:
    scope = memory(tmp_path, [RESTART])
    with pytest.raises(ControllerDied):
        faulty(scope, "release", "2", Fault("web2", op, before=True, dies=True))
    renamed = replace(scope, hosts=tuple(replace(h, name=f"new-{h.name}") for h in scope.hosts))
    with pytest.raises(UsageError, match="web1, web2, web3") as caught:
        resume(renamed, Timeline(Silent()))
    assert "castoff release VERSION" in caught.value.hint
    go(renamed, "release", "3")
    assert live(scope) == ["3"] * 3


def test_a_partial_run_is_taken_over_by_one_about_the_same_hosts(tmp_path: Path) -> None:
    scope = memory(tmp_path, [RESTART])
    first = narrow(scope, Choice(only="web1"))
    with pytest.raises(ControllerDied):
        faulty(first, "release", "2", Fault("web1", "run", before=True, dies=True))
    with pytest.raises(UsageError, match="not chosen now: web1"):
        go(narrow(scope, Choice(only="web2")), "release", "3")
    go(narrow(scope, Choice(without="web3")), "release", "3")
    assert live(scope) == ["3", "3", "1"]


def test_what_has_flipped_nothing_is_taken_over_by_anything(tmp_path: Path) -> None:
    scope = memory(tmp_path, [RESTART])
    with pytest.raises(ControllerDied):
        faulty(scope, "release", "2", Fault("web2", "prepare", before=True, dies=True))
    go(narrow(scope, Choice(only="web1")), "release", "3")
    go(scope, "prepare", "2")
    assert live(scope) == ["3", "1", "1"]


@pytest.mark.parametrize("kind", ["release", "rollback", "prepare", "activate", "converge"])
def test_what_is_live_is_put_on_record_before_anything_else_begins(
    tmp_path: Path, kind: Kind
) -> None:
    scope = killed_while_recording(tmp_path, Fault("web2", "confirm", before=True, dies=True))
    assert on_channel(scope) == "2"
    with pytest.raises(UsageError, match="2 is live and healthy") as caught:
        go(scope, kind, "3")
    assert "castoff resume" in caught.value.hint
    assert "abort" not in caught.value.hint
    resume(scope, Timeline(Silent()))
    with pytest.raises(RolledBack):
        go(scope, "release", "3")
    assert live(scope) == ["2"] * 3
    assert on_channel(scope) == "2"


def test_a_resume_that_fails_early_does_not_forget_that_all_were_healthy(tmp_path: Path) -> None:
    scope = killed_while_recording(tmp_path, Fault("web2", "confirm", before=True, dies=True))
    fleet = MemoryFleet(down={"web3"})
    with pytest.raises(PreflightFailed):
        resume(scope, Timeline(Silent()), connect=fleet.connect)
    fleet.hang_up()
    assert unfinished(scope).phase == "record"
    with pytest.raises(UsageError, match="was live and healthy"):
        abort(scope, Timeline(Silent()))
    resume(scope, Timeline(Silent()))
    assert (live(scope), on_channel(scope)) == (["2"] * 3, "2")


def test_a_channel_that_could_not_be_moved_is_moved_before_another_release(tmp_path: Path) -> None:
    scope = memory(tmp_path, [RESTART, FAILS_3])
    store = Unwritable(scope.store, "channel.json")
    with pytest.raises(NotRecorded):
        go(replace(scope, store=store), "release", "2")
    with pytest.raises(UsageError, match="not on record yet"):
        go(scope, "release", "3")
    resume(scope, Timeline(Silent()))
    assert (live(scope), on_channel(scope)) == (["2"] * 3, "2")


def test_a_release_that_is_not_in_the_history_gets_there_before_the_next(tmp_path: Path) -> None:
    scope = memory(tmp_path, [RESTART])
    store = Unwritable(scope.store, "history/", error=ControllerDied())
    with pytest.raises(ControllerDied):
        go(replace(scope, store=store), "release", "2")
    with pytest.raises(UsageError, match="not on record yet"):
        go(scope, "release", "3")
    resume(scope, Timeline(Silent()))
    go(scope, "release", "3")
    assert outcomes(scope)[-2:] == ["release 2 released", "release 3 released"]
    assert previous_good(scope) == "2"
