"""History entries made by hand, for what reads them."""

from __future__ import annotations

from castoff.store.commits import CommitRow, Commits
from castoff.store.history import Entry, HostRow, StepRow
from castoff.store.outcomes import Outcome
from castoff.store.planned import Planned, PlannedHost, PlannedOnce, PlannedStep

START = 1_795_547_000.0


def step(
    name: str,
    phase: str,
    at: float,
    seconds: float,
    *,
    ok: bool = True,
    output: tuple[str, ...] = (),
    left_out: int = 0,
) -> StepRow:
    """Return a step that began `at` seconds after the start."""
    return StepRow(
        name=name,
        started=START + at,
        seconds=seconds,
        ok=ok,
        phase=phase,
        output=output,
        left_out=left_out,
    )


def entry(
    hosts: tuple[HostRow, ...],
    *,
    outcome: Outcome = "released",
    took: float = 12.0,
    detail: str = "",
    activation: float | None = None,
    skew: float | None = None,
) -> Entry:
    """Return a release of 2.0 over 1.9."""
    return Entry(
        number=12,
        kind="release",
        version="2.0",
        from_version="1.9",
        outcome=outcome,
        who="ana@laptop",
        started=START,
        ended=START + took,
        commit="c" * 40,
        detail=detail,
        activation_seconds=activation,
        hosts=hosts,
        skew_seconds=skew,
    )


def released(count: int = 3, *, said: str = "started") -> Entry:
    """Return a release that went well: migrate at 10 s, flips at 10.5 s, all healthy at 11.25 s."""
    hosts = []
    for number in range(1, count + 1):
        once = [
            step("backup", "back-up", 9.5, 0.4),
            step("migrate", "migrate", 10.0, 0.4, output=("shop.0002... OK",)),
        ]
        steps = [
            step("connect", "preflight", 0.1, 0.1),
            step("prepare", "prepare", 0.25, 9.0 if number == count else 4.0),
            *(once if number == 1 else []),
            step("flip", "activate", 10.499, 0.001),
            step("restart", "restart", 10.5, 0.5, output=(said,)),
            step("health", "restart", 11.0, 0.25),
        ]
        hosts.append(
            HostRow(
                name=f"web{number}",
                roles=("web", "db") if number == 1 else ("web",),
                downtime_seconds=1.25,
                steps=tuple(steps),
                flipped=START + 10.5,
                healthy=START + 11.25,
            )
        )
    return entry(tuple(hosts), activation=1.25, skew=0.003)


def rolled_back() -> Entry:
    """Return a release whose second host failed its check, upon which both went back."""
    well = (
        step("prepare", "prepare", 0.0, 5.0),
        step("flip", "activate", 6.0, 0.001),
        step("health", "restart", 6.1, 0.9),
        step("flip back", "go back", 8.0, 0.001),
        step("health", "go back", 8.1, 0.4),
    )
    badly = (
        step("prepare", "prepare", 0.0, 4.0),
        step("flip", "activate", 6.0, 0.001),
        step("health", "restart", 6.1, 1.9, ok=False, output=("500",), left_out=7),
        step("flip back", "go back", 8.0, 0.001),
        step("health", "go back", 8.1, 0.9),
    )
    return entry(
        (
            HostRow(
                name="web1.eu-central.example.com",
                downtime_seconds=1.0,
                steps=well,
                flipped=START + 6.0,
                healthy=START + 7.0,
            ),
            HostRow(
                name="web2.eu-central.example.com",
                downtime_seconds=None,
                steps=badly,
                flipped=START + 6.0,
            ),
        ),
        outcome="rolled back",
        took=9.0,
        detail="2.0 failed after the barrier\n  web2: status 500, not 200 " + "x" * 200,
        activation=1.0,
        skew=0.0,
    )


def with_commits_and_plan(of: Entry, *, subject: str = "Sell socks") -> Entry:
    """Return an entry that a CI job wrote, with 70 commits gained, one lost, and a plan."""
    steps = (
        PlannedStep(moment="before_activate", name="drain"),
        PlannedStep(moment="activate", name="restart"),
    )
    hosts = tuple(
        PlannedHost(
            name=host.name,
            serves="1.9",
            fetch=0 if number == 1 else 52_428_800,
            batch=number,
            steps=steps,
        )
        for number, host in enumerate(of.hosts, 1)
    )
    rows = tuple(CommitRow(id=f"{n:07x}", subject=f"{subject} {n}") for n in range(50))
    lost = (CommitRow(id="fffffff", subject="Sell umbrellas"),)
    changes = {
        "job_url": "https://ci.example/jobs/7?tab=log",
        "commits": Commits(gained=rows, gained_count=70, lost=lost, lost_count=1),
        "plan": Planned(
            hosts=hosts,
            once=(PlannedOnce(moment="once", name="migrate", leader="web1"),),
            shared=("media/",),
        ),
    }
    return of.model_copy(update=changes)
