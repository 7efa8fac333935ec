"""A URL that expires while a host fetches by it: the controller makes another one."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

import pytest

from castoff.releaser.operations.status import look
from castoff.releaser.release import resolve, run
from castoff.releaser.replies import Ran
from castoff.releaser.session import AgentSession, Asked, Given
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import keys
from castoff.store.file import FileStore
from support.flaky_http import Answer, flaky_server
from support.local_scope import make_scope
from support.scripted import HELLO, HOST, Scripted

SECRET = "X-Signature"


def test_a_host_whose_url_expires_goes_on_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    scope = make_scope(tmp_path, [], hosts=1)
    job = resolve(scope, "release", "1")
    path = scope.store.local_path(keys.blob(job.app, job.version, job.manifest.archive.name))
    assert path is not None
    numbers = count(1)
    with flaky_server(path.read_bytes(), Answer(limit=100), Answer(status=403), Answer()) as server:

        def fetch_url(_self: FileStore, _key: str, *, expires: int) -> str:
            assert expires == scope.url_expires
            return server.url(f"/{next(numbers)}?{SECRET}=s3cr3t")

        monkeypatch.setattr(FileStore, "fetch_url", fetch_url)
        monkeypatch.setattr(FileStore, "local_path", lambda _self, _key: None)
        run(job, Timeline(Silent()))
        asked = [(where.partition("?")[0], wanted) for where, wanted in server.asked]
    assert asked == [("/1", None), ("/1", "bytes=100-"), ("/2", "bytes=100-")]
    assert look(scope).agrees
    for file in (tmp_path / "hosts").rglob("*"):
        if file.is_file() and not file.is_symlink():
            assert SECRET.encode() not in file.read_bytes(), file


@pytest.mark.parametrize("url", ["https://store/archive?X-Signature=2", None])
def test_the_other_url_is_told_on_standard_input(url: str | None) -> None:
    lines = [{"id": 1, "event": "renew"}, {"id": 1, "result": {"seconds": 1.0}}]
    channel = Scripted(HELLO + b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    session = AgentSession.start(HOST, lambda _host, _timeout: channel, timeout=5)
    before = len(channel.heard)
    session.ask(Ran, "run", Asked(timeout=5, archive=Given(url=lambda: url)))
    _request, told = channel.heard[before:].splitlines()
    assert json.loads(told) == {"url": url}
