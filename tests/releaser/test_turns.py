"""Hosts wait for their turn to be connected to, and give up when the run is stopped."""

from __future__ import annotations

import threading
import time

from castoff.config.model import FanOut
from castoff.releaser.errors import HostUnreachable
from castoff.releaser.turns import Turns


class Crowd:
    """Threads that each take a turn and keep it until told to let go."""

    def __init__(self, turns: Turns, count: int) -> None:
        self.entered = threading.Semaphore(0)
        self.inside = 0
        self.most = 0
        self.began: list[float] = []
        self.refused: list[str] = []
        self.go = threading.Semaphore(0)
        self._turns = turns
        self._lock = threading.Lock()
        self.threads = [threading.Thread(target=self._one, args=(f"h{n}",)) for n in range(count)]
        for thread in self.threads:
            thread.start()

    def _one(self, host: str) -> None:
        try:
            with self._turns.taken(host):
                with self._lock:
                    self.inside += 1
                    self.most = max(self.most, self.inside)
                    self.began.append(time.monotonic())
                self.entered.release()
                self.go.acquire()
                with self._lock:
                    self.inside -= 1
        except HostUnreachable as refusal:
            self.refused.append(refusal.host)

    def join(self) -> None:
        for thread in self.threads:
            thread.join()


def test_as_many_have_a_turn_at_once_as_may_and_no_more() -> None:
    crowd = Crowd(Turns(FanOut(concurrency=3, rate=10_000)), 12)
    for _ in range(3):
        crowd.entered.acquire()
    crowd.go.release(12)
    crowd.join()
    assert crowd.most == 3
    assert len(crowd.began) == 12


def test_turns_begin_apart() -> None:
    before = time.monotonic()
    crowd = Crowd(Turns(FanOut(concurrency=64, rate=50)), 5)
    crowd.go.release(5)
    crowd.join()
    # However late, never early.
    assert all(at >= before + number / 50 for number, at in enumerate(sorted(crowd.began)))


def test_whoever_has_a_turn_may_ask_for_it_again() -> None:
    turns = Turns(FanOut(concurrency=1))
    with turns.taken("a"), turns.taken("a"):
        pass
    with turns.taken("b"):
        pass


def test_those_that_wait_give_up_when_the_run_is_stopped_and_later_ones_may_come() -> None:
    turns = Turns(FanOut(concurrency=1, rate=10_000))
    crowd = Crowd(turns, 4)
    crowd.entered.acquire()
    while sum(thread.is_alive() for thread in crowd.threads) < 4:
        time.sleep(0.001)
    turns.stop()
    while len(crowd.refused) < 3:
        # A thread that had not begun to wait when it was stopped is one of the later ones.
        turns.stop()
        time.sleep(0.001)
    crowd.go.release()
    crowd.join()
    assert len(crowd.began) == 1
    with turns.taken("late"):
        pass


def test_a_stop_reaches_those_that_have_a_turn_and_only_wait_for_its_time() -> None:
    turns = Turns(FanOut(concurrency=4, rate=0.1))
    crowd = Crowd(turns, 2)
    crowd.entered.acquire()
    while len(crowd.refused) < 1:
        turns.stop()
        time.sleep(0.001)
    crowd.go.release()
    crowd.join()
    assert len(crowd.began) == 1


def test_whoever_only_waits_lets_others_go_first_and_has_its_turn_again() -> None:
    turns = Turns(FanOut(concurrency=1, rate=10_000))
    with turns.taken("a"):
        with turns.aside("a"):
            other = Crowd(turns, 1)
            other.entered.acquire()
            other.go.release()
            other.join()
        crowd = Crowd(turns, 1)
        assert not crowd.entered.acquire(timeout=0.05)
    crowd.go.release()
    crowd.join()
    with turns.aside("b"):
        pass
    with turns.taken("b"):
        pass


def test_a_stop_reaches_those_that_have_stepped_aside() -> None:
    turns = Turns(FanOut(concurrency=1, rate=0.1))
    refused = threading.Event()

    def wait() -> None:
        try:
            with turns.taken("a"), turns.aside("a"):
                pass
        except HostUnreachable:
            refused.set()

    thread = threading.Thread(target=wait)
    thread.start()
    while not refused.wait(0.001):
        turns.stop()
    thread.join()
    # It gave back no more than it had.
    assert turns._free == 1
