"""Limits for hosts count the time in which this process could hear them."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from castoff.releaser import patience
from castoff.releaser.patience import Clock
from support.site import CASTOFF, Site


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def passed(clock: Clock, real: Time, pauses: list[float]) -> float:
    """Return how far a clock goes while its thread sleeps so long each time."""
    begin = clock.now()
    for pause in pauses:
        real.now += pause
        clock.beat()
    return clock.now() - begin


def test_in_a_process_that_runs_it_goes_as_any_other() -> None:
    real = Time()
    assert passed(Clock(real), real, [0.05] * 100) == pytest.approx(5)


def test_what_was_overslept_counts_a_tenth() -> None:
    real = Time()
    assert passed(Clock(real), real, [10.1] * 3) == pytest.approx(3 * 1.1)


def test_it_never_goes_back_and_what_has_just_passed_counts_at_once() -> None:
    real = Time()
    clock = Clock(real)
    seen = [clock.now()]
    for pause in (0.01, 0.04, 0.2, 5, 0.05):
        real.now += pause
        seen.append(clock.now())
        clock.beat()
        seen.append(clock.now())
    assert seen == sorted(seen)
    assert seen[1] == pytest.approx(100.01)


def test_one_thread_keeps_the_time_of_a_process() -> None:
    first = patience.now()
    assert patience.now() >= first
    assert sum(thread.name == "patience" for thread in threading.enumerate()) == 1


def test_a_wait_ends_by_this_clock_and_not_by_the_plain_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = iter([0.0, 1.0, 1.0, 4.0, 4.0, 5.0])
    monkeypatch.setattr(patience, "now", lambda: next(times))
    given: list[float] = []

    def in_vain(seconds: float) -> bool:
        given.append(seconds)
        return False

    # The first two waits were over, but not in time that counts.
    assert not patience.waited(in_vain, until=5.0)
    assert given == [5.0, 4.0, 1.0]
    times = iter([0.0, 1.0, 1.0])
    answers = iter([False, True])
    assert patience.waited(lambda _: next(answers), until=5.0)


def test_a_host_that_answers_is_heard_by_a_controller_that_was_stopped_meanwhile(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path / "site")
    asked, answer = tmp_path / "asked", tmp_path / "answer"
    python = tmp_path / "python"
    python.write_text(
        f"#!/bin/sh\ntouch {asked}\nwhile [ ! -e {answer} ]; do sleep 0.05; done\n"
        'exec python3 "$@"\n'
    )
    python.chmod(0o755)
    site.write(
        {
            "castoff.toml": f"""
[store]
url = "file://{tmp_path}/store"

[apps.shop]

[environments.test]
limits = {{ connect = 2 }}
hosts = [{{ name = "web1", transport = "local", root = "{tmp_path}/host", python = "{python}" }}]
"""
        }
    )
    running = subprocess.Popen(
        [str(CASTOFF), "status"],
        cwd=site.folder,
        env=site.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not asked.exists():
        assert running.poll() is None
        time.sleep(0.02)

    os.kill(running.pid, signal.SIGSTOP)
    time.sleep(3)
    os.kill(running.pid, signal.SIGCONT)
    # Longer than it would take to say that the time is over.
    time.sleep(0.5)
    answer.touch()

    out, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (0, ""), out
    assert "no answer" not in out
