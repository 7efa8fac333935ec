"""What a health check may ask, and of what it says that it is not right; against a real nginx."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.agent_client import AgentClient, AgentFailure, Message, agent
from support.front import NAME, Front, front


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with front(tmp_path_factory.mktemp("front"), "1.1") as running:
        yield running


@pytest.fixture
def client(root: Path) -> Iterator[AgentClient]:
    with agent(root) as client:
        yield client


def ask(client: AgentClient, url: str, **changes: Any) -> Message:
    # With such a pause there is time for one try alone.
    given: dict[str, Any] = {
        "version": "1.1",
        "url": url,
        "status": 200,
        "successes": 1,
        "interval": 20,
    }
    return client.ask("http", **{**given, "timeout": 20, **changes})


def refusal(client: AgentClient, url: str, **changes: Any) -> str:
    with pytest.raises(AgentFailure) as caught:
        ask(client, url, **changes)
    return f"{caught.value.code}: {caught.value.message}"


def test_headers_and_fields_of_json_tell_the_version(served: Front, client: AgentClient) -> None:
    url = f"http://127.0.0.1:{served.port}/health"
    right = {"app.version": "1.1", "app.ready": True, "app.parts.1": 3}
    assert ask(client, url, headers={"x-version": "1.1"}, json_fields=right)["tries"] == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"headers": {"X-Version": "1.2"}}, "header X-Version is '1.1' instead of '1.2'"),
        ({"headers": {"X-Color": "blue"}}, "header X-Color is not there instead of 'blue'"),
        ({"json_fields": {"app.version": "1.2"}}, "field 'app.version' is '1.1' instead of '1.2'"),
        ({"json_fields": {"app.ready": 1}}, "field 'app.ready' is True instead of 1"),
        ({"json_fields": {"app.parts.7": 1}}, "the body has no field 'app.parts.7'"),
        ({"json_fields": {"app.version.x": 1}}, "the body has no field 'app.version.x'"),
    ],
)
def test_the_answer_of_another_version_is_a_failure(
    changes: dict[str, object], words: str, served: Front, client: AgentClient
) -> None:
    url = f"http://127.0.0.1:{served.port}/health"
    said = refusal(client, url, **changes)
    assert said.startswith("unhealthy")
    assert words in said


def test_a_body_that_is_no_json_has_no_fields(served: Front, client: AgentClient) -> None:
    url = f"http://127.0.0.1:{served.port}/nowhere"
    assert "the body is not JSON" in refusal(client, url, status=404, json_fields={"a": 1})


def test_the_request_is_as_it_was_asked_for(served: Front, client: AgentClient) -> None:
    url = f"http://127.0.0.1:{served.port}/health"
    fields = {"host": "other.test", "method": "POST"}
    sent = {"Host": "other.test"}
    assert ask(client, url, method="POST", request_headers=sent, json_fields=fields)["tries"] == 1


def test_a_unix_socket_is_asked_under_the_urls_name(served: Front, client: AgentClient) -> None:
    fields = {"host": "shop"}
    assert ask(client, "http://shop/health", unix=str(served.unix), json_fields=fields)
    gone = str(served.unix.with_name("gone.sock"))
    said = refusal(client, "http://shop/health", unix=gone)
    assert f"{gone}:/health" in said
    assert "No such file" in said


def test_tls_is_checked_against_the_authority_and_the_urls_name(
    served: Front, client: AgentClient
) -> None:
    url, there = f"https://{NAME}/health", f"127.0.0.1:{served.tls_port}"
    fields = {"sni": NAME, "host": NAME}
    assert ask(client, url, connect=there, ca=str(served.ca), json_fields=fields)

    unknown = refusal(client, url, connect=there)
    assert "unable to get local issuer certificate" in unknown
    other = refusal(client, "https://other.test/health", connect=there, ca=str(served.ca))
    assert "certificate is not valid for 'other.test'" in other


def test_a_certificate_is_left_unchecked_only_where_that_is_said(
    served: Front, client: AgentClient
) -> None:
    url = f"https://127.0.0.1:{served.tls_port}/health"
    assert "certificate" in refusal(client, url)
    assert ask(client, url, verify=False)["tries"] == 1


def test_authorities_that_cannot_be_read_are_named(served: Front, client: AgentClient) -> None:
    url = f"https://{NAME}/health"
    said = refusal(client, url, ca="/nowhere/ca.pem")
    assert said.startswith("invalid")
    assert "/nowhere/ca.pem" in said
    empty = str(served.ca.with_name("names"))
    assert refusal(client, url, ca=empty).startswith("invalid")
