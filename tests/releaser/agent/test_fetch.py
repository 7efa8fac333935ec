from __future__ import annotations

import os
import random
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from support.agent_client import AgentClient, AgentFailure, agent, open_request
from support.archives import Artifact, make_artifact
from support.flaky_http import Answer, flaky_server

SECRET = "s3cr3t"


@pytest.fixture
def big() -> Artifact:
    """An artifact of some hundred kilobytes that do not compress."""
    return make_artifact("1.0", {str(n): os.urandom(40_000) for n in range(10)}, raw_member=16_384)


def url_source(url: str) -> dict[str, str]:
    return {"kind": "url", "url": url}


def prepare(root: Path, artifact: Artifact, *sources: dict[str, str], **more: Any) -> str:
    """Prepare from sources; return everything that the agent said. Nothing may hold the secret."""
    with agent(root) as client:
        try:
            result = client.ask("prepare", **artifact.request(sources=list(sources)), **more)
            assert result["tree_sha256"] == artifact.tree_sha256
            assert not result["reused"]
        finally:
            assert SECRET.encode() not in client.heard
            assert b"X-Signature" not in client.heard
        return client.heard.decode()


def test_the_archive_comes_from_a_file(root: Path, tmp_path: Path, big: Artifact) -> None:
    path = tmp_path / "archive"
    path.write_bytes(big.archive)
    assert '"want"' not in prepare(root, big, {"kind": "file", "path": str(path)})


def test_the_archive_comes_from_a_url(root: Path, big: Artifact) -> None:
    with flaky_server(big.archive) as server:
        assert '"want"' not in prepare(root, big, url_source(server.url()))
        assert server.asked == [("/archive?X-Signature=s3cr3t", None)]


@pytest.mark.parametrize("reset", [False, True])
def test_an_interrupted_download_is_taken_up_where_it_broke(
    reset: bool, root: Path, big: Artifact
) -> None:
    broken = Answer(limit=100_000, reset=reset)
    with flaky_server(big.archive, broken, broken, Answer()) as server:
        prepare(root, big, url_source(server.url()))
        starts = [wanted for _, wanted in server.asked]
    assert starts[0] is None
    assert starts[1] is not None
    assert starts[1] != starts[2]
    if not reset:
        assert starts == [None, "bytes=100000-", "bytes=200000-"]


def test_a_server_that_ignores_ranges_is_read_from_the_start(root: Path, big: Artifact) -> None:
    whole = Answer(ranges=False)
    with flaky_server(big.archive, Answer(limit=100_000), whole) as server:
        prepare(root, big, url_source(server.url()))
        assert len(server.asked) == 2


def test_a_server_that_answers_another_range_is_left(root: Path, big: Artifact) -> None:
    shifted = Answer(shift=10)
    with flaky_server(big.archive, Answer(limit=100_000), shifted) as server:
        heard = prepare(
            root, big, url_source(server.url()), {"kind": "controller"}, archive=big.archive
        )
        assert len(server.asked) == 2
    assert '"want"' in heard


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_passing_trouble_is_waited_out(status: int, root: Path, big: Artifact) -> None:
    with flaky_server(big.archive, Answer(status=status), Answer()) as server:
        prepare(root, big, url_source(server.url()))
        assert len(server.asked) == 2


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_refusal_is_not_asked_twice(status: int, root: Path, big: Artifact) -> None:
    with flaky_server(big.archive, Answer(status=status)) as server:
        with pytest.raises(AgentFailure, match=f"127.0.0.1 answers with status {status}") as caught:
            prepare(root, big, url_source(server.url()))
        assert caught.value.code == "fetch"
        assert len(server.asked) == 1


def test_a_download_that_never_gets_on_is_given_up(root: Path, big: Artifact) -> None:
    with flaky_server(big.archive, Answer(limit=10)) as server:
        with pytest.raises(AgentFailure, match="broke off after") as caught:
            prepare(root, big, url_source(server.url()))
        assert len(server.asked) == 4
    assert caught.value.code == "fetch"


def test_wrong_bytes_cost_the_next_source(root: Path, big: Artifact) -> None:
    with flaky_server(big.archive, Answer(wrong=True)) as server:
        heard = prepare(
            root, big, url_source(server.url()), {"kind": "controller"}, archive=big.archive
        )
    assert '"want"' in heard


def test_wrong_bytes_everywhere_are_named_corrupt(
    root: Path, tmp_path: Path, big: Artifact
) -> None:
    path = tmp_path / "archive"
    path.write_bytes(bytes(len(big.archive)))
    with pytest.raises(AgentFailure) as caught:
        prepare(
            root,
            big,
            {"kind": "file", "path": str(tmp_path / "nothing-here")},
            {"kind": "file", "path": str(path)},
            {"kind": "controller"},
            archive=big.archive[:-1],
        )
    assert caught.value.code == "corrupt"
    assert "the store's file cannot be opened: No such file" in caught.value.message
    assert "gave other bytes than the manifest names" in caught.value.message
    size = len(big.archive)
    assert f"the controller gave only {size - 1} of {size} bytes" in caught.value.message
    assert str(tmp_path) not in caught.value.message
    assert list((root / "releases").iterdir()) == []


def test_a_longer_archive_is_cut_where_the_manifest_ends_it(root: Path, big: Artifact) -> None:
    prepare(root, big, {"kind": "controller"}, archive=big.archive + b"and more")
    with flaky_server(big.archive + b"and more") as server:
        prepare(root.parent / "other", big, url_source(server.url()))


def test_a_redirect_is_followed_without_telling_where(root: Path, big: Artifact) -> None:
    with flaky_server(big.archive) as store:
        away = Answer(status=302, location=store.url())
        with flaky_server(b"", away) as server:
            prepare(root, big, url_source(server.url()))


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/x?s3cr3t"])
def test_a_redirect_to_something_else_is_refused(location: str, root: Path, big: Artifact) -> None:
    away = Answer(status=302, location=location)
    with flaky_server(b"", away) as server, pytest.raises(AgentFailure) as caught:
        prepare(root, big, url_source(server.url()))
    assert caught.value.code == "fetch"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/x?X-Signature=s3cr3t",
        "file:///etc/passwd?X-Signature=s3cr3t",
        "archive?X-Signature=s3cr3t",
        "http://127.0.0.1:port/x?X-Signature=s3cr3t",
        "http://127.0.0.1/a b?X-Signature=s3cr3t",
        "http://[::1/x?X-Signature=s3cr3t",
        "http://127.0.0.1/\u00fc?X-Signature=s3cr3t",
        "http://h\u00f6st..invalid/?X-Signature=s3cr3t",
        "http://no-such-host.invalid/x?X-Signature=s3cr3t",
        "",
    ],
)
def test_a_url_that_cannot_be_used_never_shows_its_secret(
    url: str, root: Path, big: Artifact
) -> None:
    with pytest.raises(AgentFailure) as caught:
        prepare(root, big, url_source(url))
    assert caught.value.code == "fetch"


def test_a_server_that_speaks_no_http_never_shows_the_secret(root: Path, big: Artifact) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def echo() -> None:
            for _ in range(4):
                connection, _ = server.accept()
                with connection:
                    connection.sendall(connection.recv(10_000))

        thread = threading.Thread(target=echo)
        thread.start()
        port = server.getsockname()[1]
        with pytest.raises(AgentFailure, match="BadStatusLine"):
            prepare(root, big, url_source(f"http://127.0.0.1:{port}/?X-Signature=s3cr3t"))
        thread.join()


def test_a_refused_connection_says_so(root: Path, big: Artifact) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        with pytest.raises(AgentFailure, match="Connection refused"):
            prepare(root, big, url_source(f"http://127.0.0.1:{port}/?X-Signature=s3cr3t"))


def test_no_source_at_all_is_missing(root: Path, big: Artifact) -> None:
    with pytest.raises(AgentFailure, match=r"no release 1\.0") as caught:
        prepare(root, big)
    assert caught.value.code == "missing"


def test_a_source_of_an_unknown_kind_is_invalid(root: Path, big: Artifact) -> None:
    with pytest.raises(AgentFailure, match="carrier pigeon") as caught:
        prepare(root, big, {"kind": "carrier pigeon"})
    assert caught.value.code == "invalid"


def test_what_is_no_chunk_is_refused(root: Path, big: Artifact) -> None:
    for line in (b'{"chunk": -1}\n', b'{"chunk": "9"}\n', b"[]\n", b"bytes\n"):
        with agent(root) as client:
            client.post("prepare", **big.request())
            assert client.read()["event"] == "want"
            client.write(line)
            with pytest.raises(AgentFailure) as caught:
                client.answer()
            assert caught.value.code == "invalid"


def test_the_agent_stops_fetching_when_the_controller_is_gone(root: Path, big: Artifact) -> None:
    held = threading.Event()
    with flaky_server(big.archive, Answer(limit=300_000), Answer(hold=held)) as server:
        client = AgentClient()
        client.ask("open", **open_request(root))
        client.post("prepare", **big.request(sources=[url_source(server.url())]))
        while len(server.asked) < 2:
            time.sleep(0.01)
        client.hang_up()
        held.set()
        assert client.wait() == 0
        assert client.close() == b""
    assert list((root / "releases").iterdir()) == []


def test_the_agent_leaves_when_the_controller_goes_in_the_middle_of_a_chunk(
    root: Path, big: Artifact
) -> None:
    client = AgentClient()
    client.ask("open", **open_request(root))
    client.post("prepare", **big.request())
    assert client.read()["event"] == "want"
    client.write(b'{"chunk": 1000}\n' + bytes(10))
    client.hang_up()
    assert client.wait() == 0
    assert client.close() == b""
    assert list((root / "releases").iterdir()) == []
    prepare(root, big, {"kind": "controller"}, archive=big.archive)


def test_a_url_that_expires_is_renewed_over_the_channel_and_never_told(
    root: Path, big: Artifact
) -> None:
    cut, expired = Answer(limit=100_000), Answer(status=403)
    with flaky_server(big.archive, cut, expired, Answer()) as server, agent(root) as client:
        client.urls = [server.url("/archive?X-Signature=fresh")]
        request = big.request(sources=[url_source(server.url())])
        assert client.ask("prepare", **request)["fetched"] == len(big.archive)
        assert [path[-6:] for path, _ in server.asked] == ["s3cr3t", "s3cr3t", "=fresh"]
        assert b"Signature" not in client.heard


def test_what_is_no_url_is_refused(root: Path, big: Artifact) -> None:
    with flaky_server(big.archive, Answer(status=403)) as server, agent(root) as client:
        for line in (b'{"url": 7}\n', b"{}\n", b"[]\n", b"http://here\n"):
            client.post("prepare", **big.request(sources=[url_source(server.url())]))
            assert client.read()["event"] == "renew"
            client.write(line)
            with pytest.raises(AgentFailure, match="no URL") as caught:
                client.answer()
            assert caught.value.code == "invalid"


def test_what_came_before_the_agent_died_is_not_fetched_again(root: Path, big: Artifact) -> None:
    dead = AgentClient()
    dead.ask("open", **open_request(root))
    held = threading.Event()
    with flaky_server(big.archive, Answer(limit=300_000), Answer(hold=held)) as server:
        dead.post("prepare", **big.request(sources=[url_source(server.url())]))
        while len(server.asked) < 2:
            time.sleep(0.01)
        dead.process.kill()
        dead.close()
        held.set()
    with flaky_server(big.archive) as server, agent(root) as client:
        done = client.ask("prepare", **big.request(sources=[url_source(server.url())]))
        assert done["tree_sha256"] == big.tree_sha256
        # One member at most was half here.
        assert done["fetched"] < len(big.archive) - 300_000 + 16_500
    assert not list((root / ".castoff/staging").iterdir())


@pytest.mark.parametrize("kills", [4, pytest.param(50, marks=pytest.mark.sweep)])
def test_fetches_that_are_killed_again_and_again_end_in_the_right_tree(
    kills: int, root: Path
) -> None:
    chance = random.Random(kills)
    artifact = make_artifact(
        "1.0", {f"{n:02}": os.urandom(20_000) for n in range(80)}, raw_member=8_192
    )
    came = 0
    for _ in range(kills):
        held = threading.Event()
        part = chance.randint(1, len(artifact.archive) // kills)
        with flaky_server(artifact.archive, Answer(limit=part), Answer(hold=held)) as server:
            victim = AgentClient()
            victim.ask("open", **open_request(root))
            victim.post("prepare", **artifact.request(sources=[url_source(server.url())]))
            while len(server.asked) < 2:
                time.sleep(0.005)
            victim.process.kill()
            victim.close()
            held.set()
        came += part
    with flaky_server(artifact.archive) as server, agent(root) as client:
        done = client.ask("prepare", **artifact.request(sources=[url_source(server.url())]))
        found = client.ask("verify", version="1.0")
    assert done["tree_sha256"] == found["tree_sha256"] == artifact.tree_sha256
    assert not found["changed"] + found["missing"] + found["extra"]
    # Each death may cost the half of a member, and the first bytes of the whole.
    assert done["fetched"] + came < len(artifact.archive) + (kills + 1) * 8_400
