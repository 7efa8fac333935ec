"""Sums with what versions know of migrations."""

from __future__ import annotations

from castoff.store.migrations import (
    AppMigrations,
    Effect,
    MigrationNote,
    all_of,
    incompatible,
    irreversible,
    known,
    to_run,
    unknown_to,
)

BREAKS = (Effect(what="RemoveField item.name", sure=True, to="shop.0001"),)


def shop(*names: str, notes: tuple[MigrationNote, ...] = ()) -> tuple[AppMigrations, ...]:
    return (AppMigrations(tool="django", app="shop", heads=(names[-1],), names=names, notes=notes),)


def ids(*names: str) -> frozenset[str]:
    return frozenset(f"shop.{name}" for name in names)


def squash(name: str, *of: str) -> MigrationNote:
    return MigrationNote(name=name, replaces=tuple(sorted(ids(*of))))


def test_what_is_new_is_to_run() -> None:
    assert [one.text for one in to_run(shop("0001", "0002"), ids("0001"))] == ["shop.0002"]
    assert to_run(shop("0001"), ids("0001", "0002")) == ()


def test_a_squash_of_what_was_run_is_not_run() -> None:
    apps = shop("0001_to_2", notes=(squash("0001_to_2", "0001", "0002"),))

    assert to_run(apps, ids("0001", "0002")) == ()
    assert known(apps) == ids("0001", "0002", "0001_to_2")
    assert unknown_to(apps, ids("0001", "0002")) == ()


def test_a_squash_stands_for_its_own_where_nothing_was_run() -> None:
    notes = (squash("0001_to_2", "0001", "0002"), squash("0001_to_3", "0001_to_2", "0003"))
    apps = shop("0001", "0001_to_2", "0001_to_3", "0002", "0003", notes=notes)

    assert [one.name for one in to_run(apps, frozenset())] == ["0001_to_3"]


def test_a_squash_of_what_was_run_in_part_is_left_to_its_own() -> None:
    apps = shop("0001", "0001_to_2", "0002", notes=(squash("0001_to_2", "0001", "0002"),))

    assert [one.name for one in to_run(apps, ids("0001"))] == ["0002"]


def test_code_of_before_may_not_live_with_what_is_crossed() -> None:
    note = MigrationNote(name="0002", effects=BREAKS)
    crossed = unknown_to(shop("0001", "0002", notes=(note,)), ids("0001"))

    assert [one.text for one in incompatible(crossed, ids("0001"))] == ["shop.0002"]
    assert incompatible(crossed, frozenset()) == (), "it never knew the table"


def test_a_word_counts_for_code_that_knows_the_named_migration() -> None:
    note = MigrationNote(name="0003", effects=BREAKS, lives_with="shop.0002")
    crossed = all_of(shop("0003", notes=(note,))).values()

    assert incompatible(crossed, ids("0001", "0002")) == ()
    assert len(incompatible(crossed, ids("0001"))) == 1


def test_a_squash_that_is_known_in_part_cannot_be_judged() -> None:
    crossed = unknown_to(
        shop("0001_to_2", notes=(squash("0001_to_2", "0001", "0002"),)), ids("0001")
    )

    assert "known and some" in incompatible(crossed, ids("0001"))[0].why(ids("0001"))


def test_what_cannot_be_taken_back_is_told() -> None:
    note = MigrationNote(name="0002", irreversible="RunPython has no reverse_code")

    assert [m.name for m in irreversible(all_of(shop("0001", "0002", notes=(note,))).values())] == [
        "0002"
    ]
