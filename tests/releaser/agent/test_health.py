from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from support.agent_client import AgentClient, AgentFailure, Message, agent, open_request
from support.flaky_http import Answer, flaky_server


def check(client: AgentClient, url: str, **changes: object) -> Message:
    asked: Message = {
        "version": "1.0",
        "url": url,
        "status": 200,
        "contains": None,
        "successes": 1,
        "interval": 0.02,
        "timeout": 0.8,
        **changes,
    }
    return client.ask("http", **asked)


def test_the_first_good_answer_is_healthy(root: Path) -> None:
    with flaky_server(b'{"version": "1.0"}') as server, agent(root) as client:
        result = check(client, server.url("/health?x=1"), contains='"1.0"')
        assert result["tries"] == 1
        assert server.asked == [("/health?x=1", None)]


def test_it_asks_until_the_answer_is_right(root: Path) -> None:
    bad = Answer(status=503)
    with flaky_server(b"ok", bad, bad, Answer()) as server, agent(root) as client:
        assert check(client, server.url(), timeout=10)["tries"] == 3


def test_successes_must_come_in_a_row(root: Path) -> None:
    good, bad = Answer(), Answer(status=500)
    with flaky_server(b"ok", good, good, bad, good) as server, agent(root) as client:
        assert check(client, server.url(), successes=3, timeout=10)["tries"] == 6


@pytest.mark.parametrize(
    ("answer", "changes", "words"),
    [
        (Answer(status=500), {}, "status 500 instead of 200"),
        (Answer(), {"contains": "1.2"}, "status 200 but the body lacks '1.2'"),
        (Answer(status=302, location="/login"), {}, "status 302 instead of 200"),
        (Answer(), {"successes": 100_000}, "good answers in a row"),
    ],
)
def test_the_error_says_what_was_seen_last(
    answer: Answer, changes: dict[str, object], words: str, root: Path
) -> None:
    with flaky_server(b"version 1.1", answer) as server, agent(root) as client:
        with pytest.raises(AgentFailure, match=words) as caught:
            check(client, server.url("/health?token=s3cr3t"), **changes)
        assert caught.value.code == "unhealthy"
        assert f"127.0.0.1:{server.port}/health" in caught.value.message
        assert b"s3cr3t" not in client.heard


def test_a_status_that_is_wanted_is_healthy_whatever_it_is(root: Path) -> None:
    away = Answer(status=302, location="http://example.invalid/")
    with flaky_server(b"", away) as server, agent(root) as client:
        assert check(client, server.url(), status=302)["tries"] == 1


def test_nobody_listening_is_unhealthy(root: Path) -> None:
    with socket.socket() as held, agent(root) as client:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(AgentFailure, match="Connection refused"):
            check(client, f"http://127.0.0.1:{held.getsockname()[1]}/")


def test_a_server_that_never_answers_does_not_exceed_the_limit(root: Path) -> None:
    silent = Answer(hold=threading.Event())
    with (
        flaky_server(b"", silent) as server,
        agent(root) as client,
        pytest.raises(AgentFailure, match="no answer in time"),
    ):
        check(client, server.url())


def test_a_server_that_speaks_no_http_is_unhealthy(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, agent(root) as client:

        def chat() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b"220 welcome\r\n")

        thread = threading.Thread(target=chat)
        thread.start()
        with pytest.raises(AgentFailure, match="not an HTTP answer"):
            check(client, f"http://127.0.0.1:{server.getsockname()[1]}/", interval=1)
        thread.join()


def test_the_check_ends_when_the_controller_is_gone(root: Path) -> None:
    with flaky_server(b"", Answer(status=500)) as server:
        client = AgentClient()
        client.ask("open", **open_request(root))
        request = {"url": server.url(), "status": 200, "successes": 1, "interval": 0.01}
        client.post("http", version="1.0", timeout=60, **request)
        while not server.asked:
            continue
        client.hang_up()
        assert client.wait() == 0
        assert client.close() == b""
