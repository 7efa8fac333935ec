"""The model of a fleet that releases are made to: random steps, and what must hold after each.

The fleet is whatever speaks the agent's protocol: `support.memory_fleet`, or real hosts. After
every step each host serves a whole release or none, the outcome that was told is the one that
hosts, channel and history show, and what comes next converges. Where the policy lets a release go
on without hosts, those are exactly the ones that the quarantine names, and each of them serves
what it did.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from castoff.config.hosts import ResolvedHost
from castoff.releaser.converge import converging
from castoff.releaser.errors import Mixed, NotConverged, RolledBack
from castoff.releaser.job import Job, Kind, Scope
from castoff.releaser.partial import Choice, narrow
from castoff.releaser.record import previous_good
from castoff.releaser.release import resolve, run
from castoff.releaser.resume import abort, resume
from castoff.releaser.timeline import Timeline
from castoff.releaser.transports.base import Channel
from castoff.releaser.watch import Silent
from castoff.store import channel, history, quarantine, run_document
from castoff.store.errors import CastoffError, UsageError
from support import blue_green
from support.local_scope import make_scope
from support.memory_fleet import ControllerDied, Fault, MemoryFleet

VERSIONS = ("1", "2", "3")
HOSTS = ("web1", "web2", "web3")
OPS = (
    "connect",
    "open",
    "prepare",
    "run",
    "color",
    "ready",
    "activate",
    "confirm",
    "quarantine",
    "page",
    "maintenance",
    "state",
    "prune",
)

faults = st.none() | st.builds(
    Fault,
    host=st.sampled_from(HOSTS),
    op=st.sampled_from(OPS),
    before=st.booleans(),
    dies=st.booleans(),
)
versions = st.sampled_from(VERSIONS)
away = st.sets(st.sampled_from(HOSTS), max_size=2)
POLICIES = {
    "fail": {},
    "quarantine": {"policy": "quarantine", "quorum": "2", "drain": "true", "restore": "true"},
}

# The first that fits; what the run's own words for its end are.
OUTCOMES = (
    (NotConverged, "released"),
    (RolledBack, "rolled back"),
    (Mixed, "mixed"),
    (UsageError, "refused"),
    (CastoffError, "failed"),
    (ControllerDied, "died"),
)

STEPS = [
    {"name": "migrate", "moment": "once", "command": "true"},
    {"name": "restart", "moment": "activate", "command": "true"},
]


class ModelFleet(Protocol):
    """Connects to hosts, and lets a fault happen on the way."""

    fault: Fault | None
    down: set[str]

    def connect(self, host: ResolvedHost, timeout: float) -> Channel:
        """Start an agent on a host."""

    def hang_up(self) -> None:
        """End all agents, as the end of a controller does."""


class Releases(RuleBasedStateMachine):
    """The model: what is live for sure, or that a run was left in the middle."""

    def __init__(self) -> None:
        super().__init__()
        # Memory-backed where there is such a thing: the engine syncs to disk at every step.
        shm = Path("/dev/shm")  # noqa: S108 (a folder of ours is made in it)
        self._folder = tempfile.TemporaryDirectory(dir=shm if shm.is_dir() else None)
        self.fleet = self.make_fleet()
        self.live: str | None = None
        self.certain = True
        # Hosts that a run about some hosts alone may have left on a version of their own.
        self.astray: set[str] = set()
        # Whether no host can show the maintenance page, whatever the run was that showed it.
        self.page_off = True

    @initialize(
        strategy=st.sampled_from(("all", "rolling", "blue-green")),
        policy=st.sampled_from(list(POLICIES)),
    )
    def begin(self, strategy: str, policy: str) -> None:
        self.scope = self.make_scope(Path(self._folder.name), strategy, POLICIES[policy])

    def make_fleet(self) -> ModelFleet:
        """Return what connects to the hosts."""
        return MemoryFleet()

    def make_scope(self, folder: Path, strategy: str, policy: dict[str, str]) -> Scope:
        """Return the scope to release to; its hosts have nothing yet."""
        self.paired = strategy == "blue-green"
        steps = [STEPS[0], *blue_green.STEPS] if self.paired else STEPS
        return make_scope(folder, steps, strategy={"kind": strategy}, stragglers=policy)

    def teardown(self) -> None:
        self.fleet.hang_up()
        self._folder.cleanup()

    @rule(version=versions, fault=faults, down=away, page=st.sampled_from(("", "", "on")))
    def release(
        self, version: str, fault: Fault | None, down: set[str], page: Literal["", "on"]
    ) -> None:
        self._run("release", version, fault, down, page)

    @rule(
        version=versions,
        fault=faults,
        only=st.sets(st.sampled_from(HOSTS), min_size=1, max_size=2),
        kind=st.sampled_from(("release", "rollback")),
    )
    def release_some(self, version: str, fault: Fault | None, only: set[str], kind: Kind) -> None:
        self._run(kind, version, fault, set(), only=only)

    @rule(version=versions, fault=faults, down=away)
    def prepare(self, version: str, fault: Fault | None, down: set[str]) -> None:
        self._run("prepare", version, fault, down)

    @rule(version=versions, fault=faults, down=away)
    def activate(self, version: str, fault: Fault | None, down: set[str]) -> None:
        self._run("activate", version, fault, down)

    @rule(fault=faults, down=away)
    @precondition(lambda self: self.live is not None)
    def rollback(self, fault: Fault | None, down: set[str]) -> None:
        version = previous_good(self.scope)
        if version is not None:
            self._run("rollback", version, fault, down)

    @rule(fault=faults, down=away)
    @precondition(lambda self: self.certain and self.live is not None)
    def converge(self, fault: Fault | None, down: set[str]) -> None:
        assert self.live is not None
        self._run("converge", self.live, fault, down)
        if fault is None and not down:
            assert not self._apart(), "the next contact converges"

    @rule(what=st.sampled_from((resume, abort)))
    @precondition(lambda self: self._interrupted() is not None)
    def mend(self, what: Callable[..., run_document.RunDocument]) -> None:
        left = self._interrupted()
        assert left is not None
        try:
            what(self.scope, Timeline(Silent()), connect=self.fleet.connect)
        except RolledBack:
            assert left.phase == "go back"
        except CastoffError:
            # An `activate` whose hosts are not prepared, or an abort of what is live already.
            if self._interrupted() is None and self.certain:
                raise
        self._learn()

    @invariant()
    def each_host_serves_a_whole_release_or_none(self) -> None:
        for version, root in self._links():
            if version is None:
                continue
            pages = [page.read_text() for page in (root / "releases" / version).glob("app/*.txt")]
            assert pages == [version] * 5

    @invariant()
    def no_instance_that_serves_is_ever_started_anew(self) -> None:
        for _, root in self._links() if self.paired else []:
            assert not (root / "shared" / "harm").exists()

    @invariant()
    def requests_get_the_instance_of_what_is_live(self) -> None:
        if self.paired and self.certain and self.live is not None:
            for number, host in enumerate(HOSTS):
                if host not in self._apart() | self.astray:
                    assert blue_green.serves(self.scope, number) == self.live

    @invariant()
    def the_maintenance_page_goes_with_the_run_that_showed_it(self) -> None:
        for _, root in self._links() if self.page_off else []:
            assert not (root / "maintenance").is_symlink()

    @invariant()
    def what_is_certain_is_what_every_host_and_the_channel_show(self) -> None:
        if not self.certain:
            return
        assert self._together() <= {self.live}
        assert self._on_channel() == self.live

    @invariant()
    def without_an_unfinished_run_hosts_and_channel_agree(self) -> None:
        if not hasattr(self, "scope") or self._interrupted() is not None:
            return
        assert self._together() <= {self._on_channel()}
        apart = self._apart()
        for host, (_, root) in zip(HOSTS, self._links(), strict=True):
            state = root / ".castoff" / "state.json"
            if host not in apart and state.exists():
                assert json.loads(state.read_text())["intent"] is None

    def _run(
        self,
        kind: Kind,
        version: str,
        fault: Fault | None,
        down: set[str],
        page: Literal["", "on"] = "",
        only: Collection[str] = HOSTS,
    ) -> None:
        before, apart = self._all_links(), self._apart()
        some = narrow(self.scope, Choice(only=",".join(sorted(only))))
        job = replace(resolve(some, kind, version), maintenance=page)
        if kind == "converge":
            found = converging(self.scope, (), connect=self.fleet.connect)
            if found is None:
                assert not apart
                return
            job = found
        self.fleet.fault, self.fleet.down = fault, down
        try:
            outcome = self._outcome(job)
        finally:
            self.fleet.fault, self.fleet.down = None, set()
            self.fleet.hang_up()
        if outcome == "refused":
            assert self._interrupted() is not None
            assert self._all_links() == before, "nothing has begun"
            return
        if outcome in ("released", "mixed", "died") and some.partial:
            self.astray |= set(only)
        if outcome == "released" and some.partial:
            self._judge_some(version, before, only)
        else:
            self._judge(outcome, version, before, apart, converged=kind == "converge")
        if outcome in ("mixed", "died"):
            self.page_off = False
        elif outcome == "released" and page and not self._apart():
            self.page_off = True

    def _outcome(self, job: Job) -> str:
        try:
            run(job, Timeline(Silent()), connect=self.fleet.connect)
        except (CastoffError, ControllerDied) as error:
            return next(word for kind, word in OUTCOMES if isinstance(error, kind))
        return "prepared" if job.kind == "prepare" else "released"

    def _judge(
        self,
        outcome: str,
        version: str,
        before: dict[str, str | None],
        apart: set[str],
        *,
        converged: bool,
    ) -> None:
        now = self._all_links()
        if outcome == "released":
            # Converging leaves those that it does not reach where they were.
            left = self.astray if converged else set()
            self.astray = {host for host in left if now[host] != version}
            assert self._together() <= {version}
            for host in self._apart():
                assert now[host] == before[host], "whoever is left out serves what it did"
            self.live, self.certain = version, True
        elif outcome in ("prepared", "failed"):
            assert now == before, "nothing that serves has changed"
        elif outcome == "rolled back" and self.certain:
            # One that had been left out may have come back to an older version that it calls good.
            for host in now.keys() - apart:
                assert now[host] == before[host], "every host is back"
        if outcome in ("mixed", "died"):
            self.certain = False
        if outcome != "died":
            entry = history.entries(
                self.scope.store, self.scope.app, self.scope.environment_name, limit=1
            )[0]
            assert (entry.version, entry.outcome) == (version, outcome)
        if outcome == "rolled back" and not self.certain:
            self._learn()

    def _judge_some(
        self, version: str, before: dict[str, str | None], only: Collection[str]
    ) -> None:
        for host, link in self._all_links().items():
            chosen = host in only and host not in self._apart()
            assert link == (version if chosen else before[host])
        # Only a run that had left nobody else behind could be taken over.
        self._learn()

    def _learn(self) -> None:
        """See whether a mended fleet agrees again, and then hold it to that."""
        self.fleet.hang_up()
        newest = history.entries(
            self.scope.store, self.scope.app, self.scope.environment_name, limit=1
        )
        if newest and newest[0].outcome == "released" and not newest[0].only:
            self.astray.clear()
        self.live = self._on_channel()
        self.certain = self._interrupted() is None and self._together() <= {self.live}

    def _on_channel(self) -> str | None:
        seen = channel.read(self.scope.store, self.scope.app, self.scope.environment_name)
        return None if seen is None else seen[0].current

    def _together(self) -> set[str | None]:
        """Return what is served by hosts that are to serve the same."""
        return {link for host, link in self._serving().items() if host not in self.astray}

    def _apart(self) -> set[str]:
        seen = quarantine.read(self.scope.store, self.scope.app, self.scope.environment_name)
        return set() if seen is None else {one.host for one in seen[0].hosts}

    def _serving(self) -> dict[str, str | None]:
        """Return what each host serves that is not in quarantine."""
        apart = self._apart()
        return {host: link for host, link in self._all_links().items() if host not in apart}

    def _all_links(self) -> dict[str, str | None]:
        return dict(zip(HOSTS, (version for version, _ in self._links()), strict=True))

    def _links(self) -> list[tuple[str | None, Path]]:
        found: list[tuple[str | None, Path]] = []
        for host in self.scope.hosts:
            link = Path(host.root) / "current"
            found.append((link.readlink().name if link.is_symlink() else None, Path(host.root)))
        return found

    def _interrupted(self) -> run_document.RunDocument | None:
        if not hasattr(self, "scope"):
            return None
        seen = run_document.read(self.scope.store, self.scope.app, self.scope.environment_name)
        return None if seen is None or seen[0].over else seen[0]
