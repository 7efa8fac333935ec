"""The lease: one holder at a time, and none for ever."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from castoff.store import keys, lease
from castoff.store.backend import Store
from castoff.store.errors import ExitCode, Locked, StoreError
from castoff.store.file import FileStore
from castoff.store.lease import Lease, LeaseLost
from castoff.store.lease_document import LeaseDocument
from castoff.store.process import Process, this_process

KEY = keys.lease("shop", "production")

TAKE = """
import pathlib, sys, time
from castoff.store import lease
from castoff.store.file import FileStore
lease.acquire(FileStore(pathlib.Path("store"), url="file://store"), "shop", "production",
              owner="ben@ci", reason="release 2.0", ttl=3600)
print("taken", flush=True)
time.sleep(600)
"""


@dataclass
class Clock:
    """A clock that stands until it is set."""

    time: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.time


def acquire(store: Store, *, owner: str = "ana@laptop", now: Clock | None = None) -> Lease:
    return lease.acquire(
        store, "shop", "production", owner=owner, reason="release 1.4.2", now=now or Clock()
    )


def stored(store: Store) -> LeaseDocument:
    return LeaseDocument.model_validate_json(store.read(KEY).data)


def wait_until(condition: Callable[[], bool]) -> None:
    gone = threading.Event()
    for _ in range(2_000):
        if condition():
            return
        gone.wait(0.01)
    pytest.fail("waited 20 s in vain")


def test_a_held_lease_locks_all_others_out_and_says_all_about_it(store: Store) -> None:
    clock = Clock()
    acquire(store, now=clock)
    clock.time += 12

    with pytest.raises(Locked) as caught:
        acquire(store, owner="ben@ci", now=clock)

    assert caught.value.exit_code == ExitCode.LOCKED
    assert "production of shop is locked by ana@laptop" in caught.value.message
    assert f"process {os.getpid()} on {os.uname().nodename}" in caught.value.message
    assert "since 2023-11-14 22:13:20 UTC: release 1.4.2" in caught.value.message
    assert "frees itself at 2023-11-14 22:13:50 UTC, in 18 s" in caught.value.hint


def test_a_lease_of_one_environment_locks_no_other(store: Store) -> None:
    acquire(store)

    lease.acquire(store, "shop", "staging", owner="ben@ci", reason="release")
    lease.acquire(store, "blog", "production", owner="ben@ci", reason="release")


def test_the_token_grows_with_every_lease_however_the_last_one_ended(store: Store) -> None:
    clock = Clock()
    first = acquire(store, now=clock)
    lease.release(first, now=clock)
    second = acquire(store, now=clock)
    clock.time += 31
    third = acquire(store, now=clock)
    third = lease.renew(third, now=clock)

    assert [held.token for held in (first, second, third)] == [1, 2, 3]
    assert stored(store).token == 3


def test_an_expired_lease_is_taken_over_and_lost_to_its_holder(store: Store) -> None:
    clock = Clock()
    mine = acquire(store, now=clock)
    clock.time += 29.9
    with pytest.raises(Locked):
        acquire(store, owner="ben@ci", now=clock)
    clock.time += 0.1
    theirs = acquire(store, owner="ben@ci", now=clock)

    for use in (lease.renew, lease.release):
        with pytest.raises(LeaseLost, match="taken over by ben@ci at 2023-11-14 22:13:50 UTC"):
            use(mine, now=clock)

    assert lease.renew(theirs, now=clock).token == 2


def test_a_renewed_lease_lasts_longer(store: Store) -> None:
    clock = Clock()
    held = acquire(store, now=clock)
    clock.time += 20
    held = lease.renew(held, now=clock)
    clock.time += 20

    with pytest.raises(Locked):
        acquire(store, owner="ben@ci", now=clock)

    clock.time += 10
    assert acquire(store, owner="ben@ci", now=clock).token == 2


def test_a_lease_of_a_killed_process_is_free_at_once(file_store: FileStore, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TAKE], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "taken\n"
            with pytest.raises(Locked, match=f"ben@ci .process {process.pid} on"):
                acquire(file_store)
        finally:
            process.send_signal(signal.SIGKILL)
        # Not waited for yet: it is a zombie, and its number is still taken.
        wait_until(lambda: "Z" in Path(f"/proc/{process.pid}/stat").read_text().split(")")[1])
        zombie = lease.acquire(
            file_store, "shop", "production", owner="ana@laptop", reason="release"
        )
    assert zombie.token == 2


def rewritten(store: Store, held: Lease, **process: object) -> None:
    """Put another process into the lease, as if it had taken it."""
    document = json.loads(held.document.to_bytes())
    document["process"].update(process)
    store.replace(KEY, json.dumps(document).encode(), etag=held.etag)


def test_another_process_with_the_number_of_a_dead_holder_holds_nothing(
    file_store: FileStore,
) -> None:
    rewritten(file_store, acquire(file_store), started="1")

    assert acquire(file_store, owner="ben@ci").token == 2


@pytest.mark.parametrize(
    "elsewhere",
    [{"boot": "another"}, {"namespace": "pid:[1]"}, {"boot": ""}, {"started": ""}],
    ids=["machine", "container", "no-proc", "no-start"],
)
def test_a_holder_that_cannot_be_looked_at_from_here_keeps_its_lease(
    file_store: FileStore, elsewhere: dict[str, str]
) -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    rewritten(file_store, acquire(file_store), pid=process.pid, **elsewhere)

    with pytest.raises(Locked):
        acquire(file_store, owner="ben@ci")


def test_a_living_process_is_not_dead_and_one_that_has_ended_is() -> None:
    here = this_process()
    with subprocess.Popen(["true"]) as process:
        process.wait()

    assert not here.is_dead()
    assert Process(**{**here.model_dump(), "pid": process.pid}).is_dead()
    assert not Process(**{**here.model_dump(), "pid": 1, "started": started(1)}).is_dead()


def started(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def test_held_renews_while_it_runs_and_gives_back_at_the_end(store: Store) -> None:
    with lease.held(store, "shop", "production", owner="ana@laptop", reason="r") as heartbeat:
        heartbeat.check()
        assert heartbeat.lease.token == 1
        with (
            pytest.raises(Locked),
            lease.held(store, "shop", "production", owner="ben@ci", reason="r"),
        ):
            pytest.fail("two held it")

    assert stored(store).released
    with lease.held(store, "shop", "production", owner="ben@ci", reason="r") as heartbeat:
        assert heartbeat.lease.token == 2


def test_held_gives_back_when_the_work_fails(file_store: FileStore) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        lease.held(file_store, "shop", "production", owner="ana@laptop", reason="r"),
    ):
        raise ZeroDivisionError

    assert stored(file_store).released


def test_held_does_not_hide_the_works_end_behind_a_lost_lease(file_store: FileStore) -> None:
    with lease.held(file_store, "shop", "production", owner="ana@laptop", reason="r"):
        steal(file_store)

    assert stored(file_store).owner == "ben@ci"


def steal(store: Store) -> None:
    """Take the lease over as another would after its end."""
    acquire(store, owner="ben@ci", now=Clock(time=9_000_000_000.0))


@contextmanager
def beating(store: Store, *, ttl: float) -> Iterator[lease.Heartbeat]:
    held = lease.acquire(store, "shop", "production", owner="ana@laptop", reason="r", ttl=ttl)
    with lease.Heartbeat(held) as heartbeat:
        yield heartbeat


def test_a_heartbeat_renews_again_and_again(file_store: FileStore) -> None:
    with beating(file_store, ttl=3) as heartbeat:
        first = heartbeat.lease.document.expires
        wait_until(lambda: heartbeat.lease.document.expires > first + 0.7)
        heartbeat.check()

    assert file_store.read(KEY).etag == heartbeat.lease.etag
    lease.release(heartbeat.lease)


def test_a_heartbeat_tells_that_its_lease_was_taken_over(file_store: FileStore) -> None:
    with beating(file_store, ttl=0.3) as heartbeat:
        steal(file_store)
        wait_until(lambda: raises_lost(heartbeat))

        with pytest.raises(LeaseLost, match="was taken over by ben@ci"):
            heartbeat.check()


def raises_lost(heartbeat: lease.Heartbeat) -> bool:
    try:
        heartbeat.check()
    except LeaseLost as error:
        return "taken over" in error.message
    return False


def test_a_heartbeat_gives_up_when_the_store_is_away_for_too_long(
    file_store: FileStore, tmp_path: Path
) -> None:
    with beating(file_store, ttl=1.5) as heartbeat:
        (tmp_path / "store").rename(tmp_path / "away")
        (tmp_path / "store").write_text("in the way")
        wait_until(lambda: not alive(heartbeat))

        with pytest.raises(LeaseLost, match=r"could not be renewed for .* s: file://store"):
            heartbeat.check()


class Unsteady(FileStore):
    """A store that cannot be reached while `away`."""

    away = False
    failures = 0

    def replace(self, key: str, data: bytes, *, etag: str) -> str:
        if self.away:
            self.failures += 1
            raise StoreError(f"{self.url}: the line is dead")
        return super().replace(key, data, etag=etag)


def test_a_heartbeat_outlives_a_short_absence_of_the_store(tmp_path: Path) -> None:
    store = Unsteady(tmp_path / "store", url="file://store")
    with beating(store, ttl=6) as heartbeat:
        first = heartbeat.lease.document.expires
        store.away = True
        wait_until(lambda: store.failures > 0)
        heartbeat.check()
        store.away = False
        wait_until(lambda: heartbeat.lease.document.expires > first)
        heartbeat.check()


def alive(heartbeat: lease.Heartbeat) -> bool:
    try:
        heartbeat.check()
    except LeaseLost:
        return False
    return True


def test_a_clock_that_has_passed_the_end_ends_the_lease(file_store: FileStore) -> None:
    clock = Clock()
    with lease.Heartbeat(acquire(file_store, now=clock), now=clock) as heartbeat:
        heartbeat.check()
        clock.time += 30  # as after a night in a closed laptop, whose monotonic clock stood still

        with pytest.raises(LeaseLost, match="could not be renewed"):
            heartbeat.check()


def test_a_store_that_cannot_be_reached_is_no_lost_lease(
    file_store: FileStore, tmp_path: Path
) -> None:
    held = acquire(file_store)
    (tmp_path / "store").rename(tmp_path / "away")
    (tmp_path / "store").write_text("in the way")

    with pytest.raises(StoreError):
        lease.renew(held)


def test_a_store_that_was_made_anew_counts_on_where_hosts_are(store: Store) -> None:
    lease.count_on_from(store, "shop", "production", 41, owner="me")
    held = lease.acquire(store, "shop", "production", owner="me", reason="release 1")
    assert held.token == 42
    with pytest.raises(Locked, match="is locked by me"):
        lease.count_on_from(store, "shop", "production", 99, owner="other")
    lease.release(held)
    with pytest.raises(Locked, match="have come to number 42 already"):
        lease.count_on_from(store, "shop", "production", 42, owner="me")
    lease.count_on_from(store, "shop", "production", 50, owner="me")
    assert lease.acquire(store, "shop", "production", owner="me", reason="r").token == 51
