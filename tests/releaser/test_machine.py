"""The table of the state machine: every row, and what each kind of run makes of it."""

from __future__ import annotations

import itertools
from operator import attrgetter
from typing import get_args

import pytest

from castoff.releaser.job import Kind
from castoff.releaser.machine import ENDS, TABLE, Phase, Position, after, past_the_barrier

KINDS: tuple[Kind, ...] = get_args(Kind)


def path(
    kind: Kind,
    *,
    batches: int = 1,
    fails_in: Phase | None = None,
    paired: bool = False,
    public: bool = False,
    site: bool = False,
    restores: bool = False,
) -> list[Phase]:
    """Walk from the beginning to an end; a phase may fail once."""
    position, passed = Position(Phase.PREFLIGHT), [Phase.PREFLIGHT]
    while position.phase not in ENDS:
        ok = position.phase is not fails_in
        position = after(
            position,
            ok=ok,
            kind=kind,
            batches=batches,
            paired=paired,
            public=public,
            site=site,
            restores=restores,
        )
        passed.append(position.phase)
        assert len(passed) < 100
    return passed


def test_every_phase_is_a_row_or_an_end() -> None:
    assert set(TABLE) | ENDS == set(Phase)
    assert {row.ok for row in TABLE.values()} | {row.fail for row in TABLE.values()} <= set(Phase)


@pytest.mark.parametrize(
    ("kind", "phases"),
    [
        ("release", "preflight prepare back-up migrate activate restart record released"),
        ("activate", "preflight prepare back-up migrate activate restart record released"),
        ("prepare", "preflight prepare prepared"),
        ("rollback", "preflight prepare activate restart record released"),
    ],
)
def test_a_run_without_failures(kind: Kind, phases: str) -> None:
    assert [phase.value for phase in path(kind)] == phases.split()


@pytest.mark.parametrize("kind", ["release", "activate", "rollback"])
def test_blue_green_starts_idle_instances_right_before_the_flip(kind: Kind) -> None:
    phases = path(kind, paired=True)
    assert phases[phases.index(Phase.IDLE) + 1] is Phase.FLIP
    assert [phase for phase in phases if phase is not Phase.IDLE] == path(kind)
    assert path(kind, paired=True, fails_in=Phase.IDLE)[-1] is Phase.FAILED


def test_a_rollback_to_a_back_up_restores_it_before_anything_of_the_older_code_runs() -> None:
    phases = path("rollback", restores=True, paired=True)
    assert phases[phases.index(Phase.RESTORE) + 1] is Phase.IDLE
    assert phases[phases.index(Phase.RESTORE) - 1] is Phase.PREPARE
    assert path("rollback", restores=True, fails_in=Phase.RESTORE)[-1] is Phase.FAILED
    assert Phase.RESTORE not in path("rollback")


@pytest.mark.parametrize("kind", ["release", "activate", "rollback"])
def test_a_cdn_is_asked_right_after_the_barrier(kind: Kind) -> None:
    phases = path(kind, public=True)
    assert phases[phases.index(Phase.PREPARE) + 1] is Phase.ASSETS
    assert [phase for phase in phases if phase is not Phase.ASSETS] == path(kind)
    assert path(kind, public=True, fails_in=Phase.ASSETS)[-1] is Phase.FAILED
    assert Phase.ASSETS not in path("prepare", public=True)


@pytest.mark.parametrize("kind", ["release", "activate", "rollback"])
def test_a_site_is_published_once_every_host_is_healthy_and_goes_back_with_them(
    kind: Kind,
) -> None:
    phases = path(kind, site=True, batches=2)
    assert phases[phases.index(Phase.PREPARE) + 1] is Phase.ASSETS
    assert phases[phases.index(Phase.PUBLISH) - 1] is Phase.CHECK
    assert phases[phases.index(Phase.PUBLISH) + 1] is Phase.RECORD
    assert phases.count(Phase.CHECK) == 2
    failed = path(kind, site=True, fails_in=Phase.PUBLISH)
    assert failed[-2:] == [Phase.GO_BACK, Phase.ROLLED_BACK]


def test_each_further_batch_passes_the_gate() -> None:
    phases = path("release", batches=3)
    flips = [phase for phase in phases if phase in (Phase.FLIP, Phase.CHECK, Phase.GATE)]
    once = [Phase.FLIP, Phase.CHECK]
    assert flips == [*once, Phase.GATE, *once, Phase.GATE, *once]


@pytest.mark.parametrize(("kind", "phase"), list(itertools.product(KINDS, TABLE)))
def test_a_failure_ends_in_failed_before_the_first_flip_and_goes_back_after_it(
    kind: Kind, phase: Phase
) -> None:
    phases = path(kind, batches=2, fails_in=phase)
    if phase not in phases:
        return
    flipped = Phase.FLIP in phases
    if phase is Phase.RECORD:
        assert phases[-1] is Phase.FAILED, "it is live: going back would be the wrong mend"
    elif flipped and phase is not Phase.GO_BACK:
        assert phases[-2:] == [Phase.GO_BACK, Phase.ROLLED_BACK]
        assert past_the_barrier(phase)
    else:
        assert phases[-1] is Phase.FAILED
        assert not past_the_barrier(phase)


def test_a_failure_on_the_way_back_is_mixed() -> None:
    assert after(Position(Phase.GO_BACK), ok=False, kind="release", batches=1).phase is Phase.MIXED


@pytest.mark.parametrize("phase", sorted(TABLE, key=attrgetter("value")))
def test_what_has_touched_nothing_has_nothing_to_go_back_from(phase: Phase) -> None:
    end = after(Position(phase), ok=False, kind="release", batches=1, untouched=True).phase
    assert end is (Phase.MIXED if phase is Phase.GO_BACK else Phase.FAILED)
