"""The conversation with an agent, over a channel that says what the test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from castoff.releaser.errors import (
    HostError,
    HostTimeout,
    HostUnreachable,
)
from castoff.releaser.replies import Ran
from castoff.releaser.session import AgentSession, Asked, Given
from support.scripted import HELLO, HOST, Scripted


def start(channel: Scripted) -> AgentSession:
    return AgentSession.start(HOST, lambda _host, _timeout: channel, timeout=5)


def test_what_a_chatty_login_script_prints_is_passed_over() -> None:
    channel = Scripted(b"Welcome!\nLast login: ", b'today\n{"a": 1}\n\xff\xfe\n', HELLO)
    start(channel)
    assert channel.heard.split(b"\n", 1)[0].isdigit()


def test_a_shell_that_prints_without_end_is_given_up() -> None:
    channel = Scripted(*[b"y\n" * 40_000] * 20)
    with pytest.raises(HostUnreachable, match="prints without end"):
        start(channel)
    assert channel.closed


def test_a_host_without_python_is_told_what_to_install() -> None:
    channel = Scripted(complaints="sh: 1: python3: not found / exit status 127")
    with pytest.raises(HostUnreachable, match="python3: not found") as caught:
        start(channel)
    assert "Python 3.8" in caught.value.hint


def test_events_reach_the_caller_before_the_result() -> None:
    lines = [
        {"id": 1, "event": "output", "text": "one"},
        {"id": 0, "result": {"seconds": 9.0}},
        {"id": 1, "event": "output", "text": "two"},
        {"id": 1, "result": {"seconds": 0.5}},
    ]
    wire = HELLO + b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    # In pieces of three bytes: no message may depend on where the stream is cut.
    pieces = [wire[at : at + 3] for at in range(0, len(wire), 3)]
    session = start(Scripted(*pieces))
    texts: list[str] = []
    ran = session.ask(
        Ran, "run", Asked(timeout=5, on_event=lambda event: texts.append(str(event["text"])))
    )
    assert ran.seconds == 0.5
    assert texts == ["one", "two"]


def test_an_error_carries_the_agents_code_and_hint() -> None:
    error = {"code": "no-space", "message": "/srv is full", "hint": "make room"}
    session = start(Scripted(HELLO + json.dumps({"id": 1, "error": error}).encode() + b"\n"))
    with pytest.raises(HostError, match="web1: /srv is full") as caught:
        session.ask(Ran, "prepare", Asked(timeout=5))
    assert (caught.value.code, caught.value.hint) == ("no-space", "make room")


def test_silence_ends_in_a_timeout_that_says_what_was_asked() -> None:
    session = start(Scripted(HELLO, silent=True))
    with pytest.raises(HostTimeout, match="no answer in time \\(run\\)"):
        session.ask(Ran, "run", Asked(timeout=5))


def test_a_lost_connection_says_so() -> None:
    session = start(Scripted(HELLO, complaints="killed"))
    with pytest.raises(HostUnreachable, match="connection lost \\(run\\): killed"):
        session.ask(Ran, "run", Asked(timeout=5))


def test_an_answer_of_the_wrong_shape_is_refused() -> None:
    session = start(Scripted(HELLO + b'{"id": 1, "result": {"seconds": "long"}}\n'))
    with pytest.raises(HostError, match="not a Ran"):
        session.ask(Ran, "run", Asked(timeout=5))


def test_the_archive_is_sent_in_chunks_when_the_agent_wants_it() -> None:
    want = {"id": 1, "event": "want", "offset": 2, "length": 4}
    patch = json.dumps({**want, "of": "patch"}).encode() + b"\n"
    lines = json.dumps(want).encode() + b"\n" + patch + b'{"id": 1, "result": {"seconds": 1.0}}\n'
    channel = Scripted(HELLO + lines)
    session = start(channel)
    before = len(channel.heard)

    def archive(offset: int, length: int) -> Iterator[bytes]:
        yield b"abcdefgh"[offset : offset + length]

    def other(offset: int, length: int) -> Iterator[bytes]:
        yield b"ABCDEFGH"[offset : offset + length]

    session.ask(Ran, "prepare", Asked(timeout=5, archive=Given(archive), patch=Given(other)))
    _, chunks = channel.heard[before:].split(b"\n", 1)
    first, second = (b'{"chunk": 4}\n' + sent + b'{"chunk": 0}\n' for sent in (b"cdef", b"CDEF"))
    assert chunks == first + second


def test_long_requests_are_sent_to_few_hosts_at_once_and_short_ones_to_all() -> None:
    most = {"long": 0, "short": 0}
    sending = {"long": 0, "short": 0}
    count, lock, go = 50, threading.Lock(), threading.Event()

    class Slow(Scripted):
        def send(self, data: bytes, *, timeout: float) -> None:
            super().send(data, timeout=timeout)
            if b'"run"' not in data:
                return
            kind = "long" if len(data) > 60_000 else "short"
            with lock:
                sending[kind] += 1
                most[kind] = max(most[kind], sending[kind])
                if sending == {"long": 32, "short": count}:
                    go.set()
            go.wait(20)
            with lock:
                sending[kind] -= 1

    answer = b'{"id": 1, "result": {"seconds": 0.5}}\n'
    sessions = [start(Slow(HELLO, answer)) for _ in range(2 * count)]

    def ask(number: int) -> float:
        text = "x" * 70_000 if number % 2 else ""
        return sessions[number].ask(Ran, "run", Asked(timeout=30), text=text).seconds

    with ThreadPoolExecutor(2 * count) as pool:
        assert set(pool.map(ask, range(2 * count))) == {0.5}
    assert most == {"long": 32, "short": count}
