"""An answer is read as Python's own client reads it, whatever pieces it comes in."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castoff.releaser.agent.http_exchange import Answer, NotHttp, exchange, request_of

MOST = 1000
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
SOUND = [
    OK + b"Content-Length: 5\r\n\r\nhello",
    OK + b"content-length: 5\r\n\r\nhello and what is not asked for",
    OK + b"\r\nuntil the end",
    b"HTTP/1.0 404 Not Found\r\n\r\nuntil the end",
    b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1  503  Busy\r\nX-A:1\r\nX-A:  2\r\nx-a:\t3\r\nContent-Length: 2\r\n\r\nno",
    b"HTTP/1.1 200 OK\nX-A: by LF alone\nContent-Length: 2\n\nno",
    OK + b"X-A: folded\r\n  once\r\nContent-Length: 2\r\n\r\nno",
    OK + b"X-A: caf\xe9\r\nContent-Length: 2\r\n\r\nno",
    OK + b"Content-Length: nonsense\r\n\r\nuntil the end",
    OK + b"Content-Length: 50\r\n\r\nbreaks off",
    OK + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\nuntil the end",
    b"HTTP/1.1 204 Nothing\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 304 Old\r\n\r\nhello",
    b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\nhello",
    CHUNKED + b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
    CHUNKED + b"5;name=value\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
    OK + b"Transfer-Encoding: Chunked\r\nContent-Length: 3\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n",
]
UNSOUND = [
    (b"", "nothing came"),
    (b"220 welcome\r\n", "no status line"),
    (b"HTTP/1.1 OK\r\n\r\n", "no status line"),
    (b"HTTP/1.1 20 OK\r\n\r\n", "no status line"),
    (b"HTTP/1.1 " + b"2" * 5_000 + b" OK\r\n\r\n", "no status line"),
    (b"HTTP/1.1 200 OK\r\nX-A: 1", "it breaks off"),
    (b"HTTP/1.1 200 OK\r\nX-A: 1\r\n", "it breaks off"),
    (CHUNKED + b"5\r\nhel", "it breaks off"),
    (CHUNKED + b"five\r\nhello\r\n", "a part of no size"),
    (OK + b"X: " + b"a" * 300_000, "without end"),
    (OK + b"X: 1\r\n" * 80_000, "without end"),
]


@contextmanager
def talking(pieces: list[bytes]) -> Iterator[socket.socket]:
    """Yield a connection whose other end says something and leaves."""
    here, there = socket.socketpair()

    def talk() -> None:
        with there:
            there.recv(10_000)
            try:
                for piece in pieces:
                    there.sendall(piece)
            except OSError:
                return

    thread = threading.Thread(target=talk)
    thread.start()
    with closing(here):
        yield here
    thread.join()


def ours(pieces: list[bytes], method: str = "GET", most: int = MOST) -> Answer:
    request = request_of(method, "/", "host", {})
    with talking(pieces) as connection:
        until = time.monotonic() + 20
        return exchange(connection, request, method=method, until=until, most=most)


def theirs(raw: bytes, method: str = "GET") -> tuple[int, str | None, bytes]:
    with talking([raw]) as connection:
        client = http.client.HTTPConnection("host")
        client.sock = connection
        client.request(method, "/")
        answer = client.getresponse()
        body = b""
        while block := answer.read1(MOST):
            body += block
        return answer.status, answer.getheader("X-A"), body


@pytest.mark.parametrize("raw", SOUND)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_pythons_client_reads(raw: bytes, method: str) -> None:
    answer = ours([raw], method)
    status, header, body = theirs(raw, method)
    folded = None if header is None else " ".join(header.split())
    assert (answer.status, answer.header("X-A"), answer.body) == (status, folded, body)


@given(st.sampled_from(SOUND), st.data())
def test_in_whatever_pieces_it_comes(raw: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(raw) - 1), max_size=6)))
    edges = [0, *cuts, len(raw)]
    pieces = [raw[a:b] for a, b in pairwise(edges)]
    whole, parts = ours([raw]), ours(pieces)
    assert (whole.status, whole.header("X-A"), whole.body) == (
        parts.status,
        parts.header("X-A"),
        parts.body,
    )


@pytest.mark.parametrize(("raw", "why"), UNSOUND)
def test_what_is_no_answer(raw: bytes, why: str) -> None:
    with pytest.raises(NotHttp, match=why):
        ours([raw])


@pytest.mark.parametrize("raw", [OK + b"\r\n", CHUNKED + b"ffff\r\n"])
def test_no_more_is_taken_than_is_wanted(raw: bytes) -> None:
    answer = ours([raw + b"x" * 65_535], most=MOST)
    assert answer.body == b"x" * MOST


def test_time_is_bounded_however_slowly_it_comes() -> None:
    here, there = socket.socketpair()
    with closing(here), closing(there):
        there.sendall(OK)
        with pytest.raises(TimeoutError):
            exchange(here, b"x", method="GET", until=time.monotonic() + 0.05, most=MOST)
        with pytest.raises(TimeoutError):
            exchange(here, b"x", method="GET", until=time.monotonic() - 1, most=MOST)


def test_a_request_is_said_as_pythons_client_says_it() -> None:
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PURGE"):
        for headers in ({}, {"host": "other"}, {"accept-encoding": "gzip", "X-A": "é"}):
            client = http.client.HTTPConnection("host", 8080)
            here, there = socket.socketpair()
            with closing(here), closing(there):
                client.sock = here
                client.request(method, "/a?b", headers=headers)
                said = there.recv(10_000)
            made = request_of(method, "/a?b", "host:8080", headers)
            assert sorted(made.split(b"\r\n")) == sorted(said.split(b"\r\n"))
            assert made.splitlines()[0] == said.splitlines()[0]


@pytest.mark.parametrize("value", ["a\r\nX-B: 1", "a\nb", "a\0b", "€"])
def test_a_header_cannot_bring_another(value: str) -> None:
    with pytest.raises(ValueError, match=r"line|encode"):
        request_of("GET", "/", "host", {"X-A": value})
