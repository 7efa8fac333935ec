"""Webhooks and chats, sent to a real HTTP server."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.notes.notes import make_notes
from castoff.releaser.notify.teller import Teller
from castoff.store.commits import CommitRow, Commits
from support.notifying import environment, message, send
from support.ports import free_ports
from support.receiver import receiver

SECRET = "T000/B000/very-secret-path"


def webhook(url: str, **more: Any) -> dict[str, Any]:
    return {"name": "board", "webhook": {"url": url, **more}, "timeout": 5.0}


def test_a_webhook_gets_everything_signed_and_filled_in(tmp_path: Path) -> None:
    with receiver() as server:
        way = webhook(
            f"{server.url}/hooks/{{TOKEN}}",
            headers={"Authorization": "Bearer {TOKEN}"},
            hmac_secret="KEY",
        )
        assert send(tmp_path, way, TOKEN="tok-123456", KEY="key-123456") == []
    (post,) = server.posts
    digest = hmac.new(b"key-123456", post.body, hashlib.sha256).hexdigest()
    assert post.path == "/hooks/tok-123456"
    assert post.headers["authorization"] == "Bearer tok-123456"
    assert post.headers["x-hub-signature-256"] == f"sha256={digest}"
    assert post.headers["content-type"] == "application/json"
    told = post.json
    assert (told["outcome"], told["kind"], told["app"]) == ("released", "release", "shop")
    assert (told["from_version"], told["version"], told["number"]) == ("1", "2", 12)
    assert (told["seconds"], told["activation_seconds"], told["downtime_seconds"]) == (
        12,
        1.25,
        0.5,
    )
    assert told["report_url"] == "https://reports.example/12.html"
    assert [s["title"] for s in told["notes"]["sections"]] == ["Features", "Fixes"]


def test_a_chat_gets_words_in_which_nobody_is_called(tmp_path: Path) -> None:
    with receiver() as server:
        way = {"name": "team", "slack": {"url_secret": "URL"}}
        assert send(tmp_path, way, URL=f"{server.url}/services/{SECRET}") == []
    (post,) = server.posts
    assert post.path == f"/services/{SECRET}"
    text = post.json["text"]
    assert "*shop 2 is live in production*" in text
    assert "who: ana@laptop" in text
    assert "report: https://reports.example/12.html" in text
    assert "cart: Sell &lt;!channel&gt; socks &amp; more" in text
    assert "<!channel>" not in text


def test_a_server_in_trouble_is_tried_again_with_the_same_message(tmp_path: Path) -> None:
    with receiver(503, 200) as server:
        assert send(tmp_path, webhook(server.url)) == []
    first, second = server.posts
    assert first.body == second.body
    assert first.headers["castoff-delivery"] == second.headers["castoff-delivery"]


@pytest.mark.parametrize(
    ("status", "said"),
    [(404, "127.0.0.1 answers with status 404"), (301, "127.0.0.1 sends elsewhere (status 301)")],
)
def test_what_will_not_be_taken_is_not_tried_again(tmp_path: Path, status: int, said: str) -> None:
    with receiver(status) as server:
        server.headers["Location"] = f"{server.url}/elsewhere"
        way = {"name": "team", "slack": {"url_secret": "URL"}}
        (line,) = send(tmp_path, way, URL=f"{server.url}/services/{SECRET}")
    assert len(server.posts) == 1
    assert line.startswith("notification 'team' of the run's end was not sent: ")
    assert said in line
    assert SECRET not in line


def test_one_that_hangs_keeps_no_other_and_is_given_up(tmp_path: Path) -> None:
    with receiver(None) as hanging, receiver() as well:
        stuck = {**webhook(f"{hanging.url}/{SECRET}"), "name": "stuck", "timeout": 0.5}
        lines = send(tmp_path, stuck, webhook(well.url))
    assert lines == [
        "notification 'stuck' of the run's end was not sent: 127.0.0.1 did not answer within 0.5 s"
    ]
    assert len(well.posts) == 1


def test_a_server_that_is_not_there_is_named_and_its_path_is_not(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    way = {**webhook(f"http://127.0.0.1:{port}/{{PATH}}"), "timeout": 0.3}
    (line,) = send(tmp_path, way, PATH=SECRET)
    assert line.endswith("was not sent: 127.0.0.1 cannot be reached: Connection refused")


@pytest.mark.parametrize(
    "url", ["ftp://example.org/very-secret", "http://[very-secret", "very-secret"]
)
def test_a_secret_that_is_no_url_is_not_shown(tmp_path: Path, url: str) -> None:
    way = {"name": "team", "slack": {"url_secret": "URL"}}
    (line,) = send(tmp_path, way, URL=url)
    assert "its URL" in line
    assert "very-secret" not in line


def test_a_secret_that_cannot_be_had_stops_that_notification_alone(tmp_path: Path) -> None:
    with receiver() as server:
        ways = ({"name": "team", "slack": {"url_secret": "URL"}}, webhook(server.url))
        made = environment(*ways, secrets={"URL": {"env": "CASTOFF_TEST_IS_NOT_SET"}})
        teller = Teller(made, tmp_path)
        teller.tell(message())
        (line,) = teller.wait()
    assert "'team'" in line
    assert "the secret URL cannot be had" in line
    assert len(server.posts) == 1


def test_only_those_are_told_who_asked_for_such_an_outcome(tmp_path: Path) -> None:
    with receiver() as server:
        way = {**webhook(server.url), "on": ("mixed", "started")}
        assert send(tmp_path, way) == []
        assert server.posts == []
        assert send(tmp_path, way, told=message(occasion="mixed")) == []
    assert server.posts[0].json["outcome"] == "mixed"


def test_a_long_message_is_cut_where_chats_would_refuse_it(tmp_path: Path) -> None:
    rows = tuple(CommitRow(id="1234567", subject="x" * 200) for _ in range(50))
    notes = make_notes("2", "1", Commits(gained=rows, gained_count=900))
    detail = "y" * 30_000
    with receiver() as server:
        way = {"name": "team", "slack": {"url_secret": "URL"}}
        told = message(notes=notes, detail=detail, occasion="failed")
        assert send(tmp_path, way, told=told, URL=server.url) == []
    assert len(server.posts[0].json["text"]) == 16_000
