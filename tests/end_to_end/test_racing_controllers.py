"""Controllers that race, and some that sleep for longer than their lease: one wins.

Those that wake up late find their token refused by the store and by every host, and change nothing.
"""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from castoff.store import history, keys, lease_document, run_document
from support.ground import APP, CALM, ENVIRONMENT, PAUSE, SHORT_LEASE, Ground, ground
from support.traps import Traps, wait_until

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(300)]


@pytest.fixture
def here(tmp_path: Path, fleet_kind: str, fleet_key: Path) -> Iterator[Ground]:
    if fleet_kind != "namespaces":
        pytest.skip("each host needs an address of its own (root and network namespaces)")
    with ground(tmp_path, fleet_key, store='url = "file://artifacts/store"') as made:
        yield made


def test_a_controller_that_slept_through_its_lease_is_refused_by_store_and_hosts(
    here: Ground,
) -> None:
    late_version, version = here.other(), here.live
    # It falls asleep where it has the lease and has logged in everywhere, and no agent runs yet.
    traps = [Traps(host) for host in here.fleet.hosts]
    for trap in traps:
        trap.order("connect-any", "hold")
    here.configure(limits=replace(SHORT_LEASE, connect=200))
    late = here.site.start("release", late_version, "--env", ENVIRONMENT)
    for trap in traps:
        trap.wait()
    # Hosts are connected to before there is a lease, and a run.
    wait_until(lambda: _begun(here, late_version), "it has not begun")
    late.send_signal(signal.SIGSTOP)
    here.configure()
    time.sleep(PAUSE)
    before = here.castoff("release", version)
    assert before.code == 0, before.err
    entries, documents = here.oracle.history_length(), _documents(here)

    late.send_signal(signal.SIGCONT)
    for trap in traps:
        trap.go()
    _, said = late.communicate(timeout=120)
    assert late.returncode == 9, said
    for host in here.fleet.hosts:
        assert f"{host.name}: a later release was here" in said
    here.oracle.check_at_rest(version)
    assert here.oracle.history_length() == entries
    assert _documents(here) == documents
    for host in here.fleet.hosts:
        journal = host.read(f"{host.root}/{APP}/.castoff/journal.jsonl")
        assert f'"version": "{late_version}"' not in journal
    assert here.castoff("status").code == 0


def test_one_that_slept_between_its_steps_leaves_the_hosts_to_a_later_run(here: Ground) -> None:
    late_version, version = here.other(), here.live
    traps = [Traps(host) for host in here.fleet.hosts]
    for trap in traps:
        trap.order(f"before_activate-{late_version}", "hold")
    here.configure(limits=SHORT_LEASE)
    late = here.site.start("release", late_version, "--env", ENVIRONMENT)
    for trap in traps:
        trap.wait()
    late.send_signal(signal.SIGSTOP)
    # Its steps end, and its agents wait for it with the hosts' locks.
    for trap in traps:
        trap.go()
    time.sleep(PAUSE)
    here.configure()
    done = here.castoff("release", version)
    assert done.code == 0, done.err

    late.send_signal(signal.SIGCONT)
    _, said = late.communicate(timeout=120)
    assert late.returncode == 9, said
    assert "a later run has taken over web" in said
    here.oracle.check_at_rest(version)


@pytest.mark.parametrize("count", [pytest.param(2, marks=pytest.mark.sweep), 8])
def test_of_many_controllers_one_wins_though_others_sleep(here: Ground, count: int) -> None:
    numbered = here.oracle.history_length()
    here.configure(limits=SHORT_LEASE)
    # The others find the lease taken, and the sleeper falls asleep with it.
    for host in here.fleet.hosts:
        for version in (here.live, here.other()):
            Traps(host).order(f"before_activate-{version}", *["nap"] * count)
    first = [_start(here, number) for number in range(count // 2)]
    sleeper = _holder(here, first)
    time.sleep(random.uniform(0, 1))
    sleeper.send_signal(signal.SIGSTOP)
    # Who comes late to a slow machine could take the lease over before the others are there.
    ends = {run: run.communicate(timeout=150)[1] for run in first if run is not sleeper}
    time.sleep(PAUSE)
    # The winner must not lose its lease, nor its patience, to a slow machine.
    here.configure(limits=replace(CALM, lease=60, connect=60))
    second = [_start(here, number) for number in range(count // 2, count)]
    _holder(here, second)
    sleeper.send_signal(signal.SIGCONT)

    ends |= {run: run.communicate(timeout=150)[1] for run in (sleeper, *second)}
    assert all("Traceback" not in said for said in ends.values()), ends.values()
    assert {run.returncode for run in ends} <= {0, 9}, ends.values()
    assert sleeper.returncode == 9, ends[sleeper]
    # More than one if some began when another was through.
    wins = sum(run.returncode == 0 for run in second)
    assert wins >= 1, ends.values()
    released = [entry for entry in _entries(here, numbered) if entry.outcome == "released"]
    assert len(released) == sum(run.returncode == 0 for run in ends), ends.values()
    here.oracle.check_whole({released[0].version})
    here.configure()
    done = here.castoff("release", here.live)
    assert done.code == 0, done.err
    here.oracle.check_at_rest(here.live)
    assert here.castoff("status").code == 0


def _start(here: Ground, number: int) -> subprocess.Popen[str]:
    version = (here.live, here.other())[number % 2]
    return here.site.start("release", version, "--env", ENVIRONMENT)


def _holder(here: Ground, among: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
    """Return the controller that has the lease, once one of these has."""
    by_number = {run.pid: run for run in among}
    found: list[subprocess.Popen[str]] = []

    def look() -> bool:
        seen = lease_document.read(here.oracle.store, keys.lease(APP, ENVIRONMENT))
        if seen is not None and not seen[0].released and seen[0].process.pid in by_number:
            found.append(by_number[seen[0].process.pid])
        return bool(found)

    wait_until(look, "nobody takes the lease")
    return found[0]


def _entries(here: Ground, numbered: int) -> list[history.Entry]:
    entries = history.entries(here.oracle.store, APP, ENVIRONMENT)
    return [entry for entry in entries if entry.number > numbered]


def _begun(here: Ground, version: str) -> bool:
    found = run_document.read(here.oracle.store, APP, ENVIRONMENT)
    return found is not None and found[0].version == version and not found[0].over


def _documents(here: Ground) -> tuple[object, object]:
    """Return the environment's lease and its run as they lie in the store."""
    where = (here.oracle.store, APP, ENVIRONMENT)
    held = lease_document.read(here.oracle.store, keys.lease(APP, ENVIRONMENT))
    return held, run_document.read(*where)
