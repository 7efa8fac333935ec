"""Every transition of the machine, and every failure there, on six real hosts.

A run of the real command line is caught in the middle of a phase, something is done to it, and the
oracle (`support.oracle`) is asked; then the next command has to bring everything to rest. A sample
runs always, everything with `pytest -m sweep tests/end_to_end/test_fault_matrix.py`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from castoff.releaser.machine import TABLE, Phase
from support import s3
from support.fleet import FleetHost
from support.ground import CALM, HASTY, PAUSE, SHORT_LEASE, Ground, Limits, ground
from support.havoc import crash, freeze, thaw
from support.oracle import KILLED
from support.traps import Traps, Unanswered, wait_until
from support.valve import Valve, valve

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(300)]

ROLLING = 'kind = "rolling", batch = "50%"'
BLUE_GREEN = 'kind = "blue-green"'
# They are about a CDN's files, and no host takes part.
WITHOUT_HOSTS = {"ASSETS", "PUBLISH"}
# Of a rollback to a back-up alone; tests of restoring kill it at each call.
OF_NO_RELEASE = {"RESTORE"}


@dataclass(frozen=True)
class Spot:
    """Where a phase is caught: on which host, at which of its traps.

    Attributes:
        place: The trap, with `{target}` and `{base}` to be filled in.
        passes: How often it is passed before.
        unanswered: What the host shows once the phase's own operation is done there, whose answer
            is then held back: `flipped` or `confirmed`.
    """

    victim: str
    place: str
    passes: int = 0
    unanswered: str = ""
    strategy: str = 'kind = "all"'


SPOTS = {
    Phase.PREFLIGHT: Spot("web3", "connect-any"),
    Phase.PREPARE: Spot("web3", "prepare-{target}"),
    Phase.BACKUP: Spot("web1", "backup-{target}"),
    Phase.MIGRATE: Spot("web1", "once-{target}"),
    Phase.IDLE: Spot("web3", "start_idle-{target}", strategy=BLUE_GREEN),
    Phase.FLIP: Spot("web3", "before_activate-{target}", unanswered="flipped"),
    Phase.CHECK: Spot("web3", "activate-{target}"),
    Phase.GATE: Spot("web3", "after_activate-{target}", passes=1, strategy=ROLLING),
    Phase.RECORD: Spot("web3", "after_activate-{target}", unanswered="confirmed"),
    Phase.GO_BACK: Spot("web3", "activate-{base}"),
}


@dataclass
class Trial:
    """One case under way."""

    ground: Ground
    victim: FleetHost
    run: subprocess.Popen[str]
    valve: Valve | None


def _crash(trial: Trial) -> None:
    crash(trial.victim)


def _power_off(trial: Trial) -> None:
    trial.victim.kill()


def _freeze(trial: Trial) -> None:
    freeze(trial.victim)


def _cut(trial: Trial) -> None:
    trial.victim.cut()


def _kill_controller(trial: Trial) -> None:
    trial.run.kill()


def _shut_store(trial: Trial) -> None:
    assert trial.valve is not None
    trial.valve.shut()


def _pause_store(trial: Trial) -> None:
    assert trial.valve is not None
    trial.valve.pause()


def _lose_lease(trial: Trial) -> None:
    """Stop the controller for longer than its lease, and let another take that."""
    trial.run.send_signal(signal.SIGSTOP)
    time.sleep(PAUSE)
    trial.ground.configure(limits=HASTY)
    rival = trial.ground.castoff("preflight")
    # The hosts' locks are the first one's, unless it had not got so far.
    assert rival.code in (0, 9, 10, 12), rival.err
    trial.run.send_signal(signal.SIGCONT)


def _reset(trial: Trial) -> None:
    trial.victim.kill()
    trial.victim.start()


def _power_on(trial: Trial) -> None:
    trial.victim.start()


def _thaw(trial: Trial) -> None:
    thaw(trial.victim)


def _heal(trial: Trial) -> None:
    trial.victim.heal()


def _open_store(trial: Trial) -> None:
    assert trial.valve is not None
    trial.valve.open()


def _nothing(trial: Trial) -> None:
    del trial


@dataclass(frozen=True)
class Fault:
    """What is done to a run that is held, or what is ordered of the step instead, and its mend."""

    strike: Callable[[Trial], None] | None
    mend: Callable[[Trial], None]
    order: str = "hold"
    limits: Limits = CALM


FAULTS = {
    "step-fails": Fault(None, _nothing, order="fail"),
    "step-times-out": Fault(None, _nothing, order="slow", limits=HASTY),
    "host-crashes": Fault(_crash, _reset),
    "host-loses-power": Fault(_power_off, _power_on, limits=HASTY),
    "host-hangs": Fault(_freeze, _thaw, limits=HASTY),
    "link-is-cut": Fault(_cut, _heal, limits=HASTY),
    "controller-is-killed": Fault(_kill_controller, _nothing),
    "store-is-away": Fault(_shut_store, _open_store),
    "store-hangs": Fault(_pause_store, _open_store),
    "lease-is-lost": Fault(_lose_lease, _nothing, limits=SHORT_LEASE),
}
NEXT = ("resume", "abort", "release", "release-back")

# All that can be: recording has no step that could fail.
MATRIX = [
    (phase, fault)
    for phase in SPOTS
    for fault in FAULTS
    if not (phase is Phase.RECORD and FAULTS[fault].strike is None)
]
# With one next command each, and all of them after the death of a controller.
SWEEP = [
    (*case, following)
    for number, case in enumerate(MATRIX)
    for following in NEXT
    if case[1] == "controller-is-killed" or following == NEXT[number % len(NEXT)]
]
# Those that differ most: before the barrier, past it, on the way back and after all is done, on
# the hosts' side, the controller's and the store's.
SAMPLE = [
    (Phase.PREFLIGHT, "step-fails"),
    (Phase.IDLE, "host-crashes"),
    (Phase.FLIP, "link-is-cut"),
    (Phase.CHECK, "host-hangs"),
    (Phase.RECORD, "store-is-away"),
    (Phase.GO_BACK, "controller-is-killed"),
]


@pytest.fixture(scope="module")
def grounds(
    tmp_path_factory: pytest.TempPathFactory, fleet_kind: str, fleet_key: Path
) -> Iterator[dict[str, Ground]]:
    """Return the grounds that the trials before have left at rest, by the kind of their store."""
    if fleet_kind != "namespaces":
        pytest.skip("each host needs an address of its own (root and network namespaces)")
    with contextlib.ExitStack() as stack:
        yield _Grounds(stack, tmp_path_factory, fleet_key)


class _Grounds(dict[str, Ground]):
    def __init__(
        self, stack: contextlib.ExitStack, factory: pytest.TempPathFactory, key: Path
    ) -> None:
        super().__init__()
        self._stack, self._factory, self._key = stack, factory, key

    def on(self, store: str, variables: dict[str, str]) -> Ground:
        """Return the ground with a store, or a new one in place of one that is not at rest."""
        found = self.get(store)
        if found is None or not found.clean:
            made = ground(self._factory.mktemp("g"), self._key, store=store, variables=variables)
            found = self[store] = self._stack.enter_context(made)
        return found


@pytest.fixture(scope="module")
def bucket(seaweed_url: str) -> Iterator[tuple[str, Valve]]:
    """Return a `[store]` table that leads through a valve."""
    name = s3.make_bucket(seaweed_url)
    with valve(urlsplit(seaweed_url).port or 80) as made:
        yield f'url = "s3://{name}"\nendpoint_url = "http://127.0.0.1:{made.port}"', made


def test_no_phase_and_no_fault_is_left_out() -> None:
    assert {phase.name for phase in set(TABLE) - set(SPOTS)} <= WITHOUT_HOSTS | OF_NO_RELEASE
    assert {phase for phase, _, _ in SWEEP} == set(SPOTS)
    assert {fault for _, fault, _ in SWEEP} == set(FAULTS)
    assert set(SAMPLE) <= set(MATRIX) == {(phase, fault) for phase, fault, _ in SWEEP}
    assert len(SAMPLE) == len(set(SAMPLE))
    for kind in (0, 1):
        assert len({case[kind] for case in SAMPLE}) == len(SAMPLE), "no kind is tried twice"


@pytest.mark.parametrize(("phase", "fault"), SAMPLE)
def test_a_fault_leaves_what_the_next_command_mends(
    grounds: _Grounds, request: pytest.FixtureRequest, phase: Phase, fault: str
) -> None:
    try_out(grounds, request, phase, fault, NEXT[SAMPLE.index((phase, fault)) % len(NEXT)])


@pytest.mark.sweep
@pytest.mark.parametrize(("phase", "fault", "following"), SWEEP)
def test_any_fault_leaves_what_the_next_command_mends(
    grounds: _Grounds, request: pytest.FixtureRequest, phase: Phase, fault: str, following: str
) -> None:
    try_out(grounds, request, phase, fault, following)


def try_out(
    grounds: _Grounds, request: pytest.FixtureRequest, phase: Phase, fault: str, following: str
) -> None:
    """Try one case, and ask the oracle after the fault and after the next command."""
    table, gate = 'url = "file://artifacts/store"', None
    variables: dict[str, str] = {}
    if fault.startswith("store"):
        request.getfixturevalue("aws_environment")
        table, gate = request.getfixturevalue("bucket")
        variables = s3.ENVIRONMENT
    here = grounds.on(table, variables)
    here.clean = False
    suffer(here, gate, phase, fault)
    go_on(here, following, SPOTS[phase].strategy)
    here.clean = True


def suffer(here: Ground, gate: Valve | None, phase: Phase, name: str) -> None:
    """Start a release, let the fault happen in the phase, and hold the outcome to the hosts."""
    spot, fault = SPOTS[phase], FAULTS[name]
    base, target = here.live, here.other()
    victim = here.host(spot.victim)
    here.configure(spot.strategy, fault.limits)
    traps = Traps(victim)
    traps.clear()
    traps.order(spot.place.format(base=base, target=target), *["pass"] * spot.passes, fault.order)
    if phase is Phase.GO_BACK:
        bad = Traps(here.host("web6"))
        bad.clear()
        bad.order(f"after_activate-{target}", "fail")
    numbered = here.oracle.history_length()
    trial = Trial(here, victim, here.site.start("release", target, "--env", "production"), gate)
    with _reaped(trial.run):
        if fault.strike is not None:
            traps.wait()
            held = _unanswered(here, spot, traps, base, target)
            fault.strike(trial)
            if held is not None:
                held.end()
            traps.go()
        _, err = trial.run.communicate(timeout=240)
    code = trial.run.returncode
    here.oracle.check_whole({base, target})
    fault.mend(trial)
    here.oracle.check_outcome(
        code, err, base=base, target=target, numbered=numbered, lost=spot.victim
    )
    assert "Traceback" not in err, err
    assert (code == KILLED) == (name == "controller-is-killed"), err
    if fault.strike is None:
        assert code != 0, err


def _unanswered(
    here: Ground, spot: Spot, traps: Traps, base: str, target: str
) -> Unanswered | None:
    """Go on from the step that is held to where the next operation is done and not answered."""
    if not spot.unanswered:
        return None
    del base
    root = traps.host.path(f"{traps.host.root}/pages")
    held = Unanswered(root / ".castoff" / "journal.jsonl")
    held.begin()
    traps.go()
    held.pass_one()
    if spot.unanswered == "flipped":
        wait_until(lambda: here.oracle.links()[spot.victim] == target, "it does not flip")
    else:
        state = root / ".castoff" / "state.json"
        wait_until(lambda: f'"good": "{target}"' in state.read_text(), "it does not confirm")
    return held


def go_on(here: Ground, following: str, strategy: str) -> None:
    """Bring everything to rest with the next command, and see that it is."""
    for host in here.fleet.hosts:
        Traps(host).clear()
    here.configure(strategy)
    unfinished = here.castoff("status", "--json").json["unfinished"]
    if unfinished and following == "abort":
        done = here.castoff("abort")
        if "'record'" in unfinished:
            assert done.code == 2, done.err
            done = here.castoff("resume")
        assert done.code == 0, done.err
    elif unfinished and following == "resume":
        done = here.castoff("resume")
        assert done.code == (15 if "'go back'" in unfinished else 0), done.err
    else:
        version = here.other() if following == "release" else here.live
        done = here.castoff("release", version)
        if unfinished and "'record'" in unfinished:
            assert done.code == 2, done.err
            assert here.castoff("resume").code == 0
            done = here.castoff("release", version)
        assert done.code == 0, done.err
    status = here.castoff("status", "--json")
    assert status.code == 0, status.out
    here.live = status.json["current"]
    here.oracle.check_at_rest(here.live)


@contextlib.contextmanager
def _reaped(run: subprocess.Popen[str]) -> Iterator[None]:
    """Leave no process behind, whatever happens."""
    try:
        yield
    finally:
        if run.poll() is None:
            os.kill(run.pid, signal.SIGKILL)
            run.communicate()
