"""Unpacking by more than one process, where the host has the processors for it."""

from __future__ import annotations

import gc
import json
import os
import random
import resource
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from castoff.releaser.agent.helpers import Helpers, spare_processors
from support.agent_client import AgentClient, AgentFailure, AgentGone, agent
from support.archives import Artifact, make_artifact

pytestmark = pytest.mark.skipif(spare_processors() < 1, reason="needs two processors")

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def large() -> Artifact:
    """Return what is worth another process: small files, large ones and empty ones."""
    chance = random.Random(5)
    files = {f"many/{n:04}": chance.randbytes(chance.randint(0, 40_000)) for n in range(400)}
    large = {f"large/{n}": chance.randbytes(MIB + 1000 * n) for n in range(3)}
    return make_artifact(
        "1.0", {"empty": b"", **files, **large}, links={"link": "empty"}, raw_member=64 * 1024
    )


def children(client: AgentClient) -> list[int]:
    pid = client.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def faults_of_children(client: AgentClient) -> int:
    """Return the minor page faults of all processes that an agent waited for: none has none."""
    fields = Path(f"/proc/{client.process.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[8])


@contextmanager
def half_sent(client: AgentClient, artifact: Artifact) -> Iterator[list[int]]:
    """Send half of the archive that is asked for, yield who helps, and send the rest."""
    client.post("prepare", **artifact.request())
    rest: list[bytes] = []
    middle = len(artifact.archive) // 2
    while not rest:
        event = client.read()
        if event.get("event") == "want":
            wanted = artifact.archive[event["offset"] :][: event["length"]]
            if event["offset"] + event["length"] >= middle:
                cut = max(0, middle - event["offset"])
                client.write(b'{"chunk": %d}\n' % len(wanted[:cut]) + wanted[:cut])
                rest.append(wanted[cut:])
            else:
                client.give(wanted)
    until = time.monotonic() + 60
    while not (found := children(client)):
        assert time.monotonic() < until
        time.sleep(0.01)
    try:
        yield found
    except AgentGone:
        return
    client.write(b'{"chunk": %d}\n' % len(rest[0]) + rest[0] + b'{"chunk": 0}\n')


def test_several_processes_unpack_one_release(large: Artifact, root: Path) -> None:
    with agent(root) as client:
        before = faults_of_children(client)
        done = client.ask("prepare", archive=large.archive, **large.request(layers=None))
        assert faults_of_children(client) > before
        assert not children(client)
    assert done["tree_sha256"] == large.tree_sha256
    with agent(root) as client:
        assert client.ask("verify", version="1.0", rehash=True)["tree_sha256"] == large.tree_sha256


def test_a_small_release_is_unpacked_by_one(root: Path) -> None:
    small = make_artifact("1.0", {"a": b"a" * 1000})
    with agent(root) as client:
        before = faults_of_children(client)
        client.ask("prepare", archive=small.archive, **small.request())
        assert faults_of_children(client) == before


def test_whoever_finds_a_file_wrong_it_is_refused(large: Artifact, root: Path) -> None:
    rows = json.loads(large.table_bytes)["files"]
    wrong = [[*row[:3], "0" * 64, *row[4:]] if row[0].startswith("many/") else row for row in rows]
    with agent(root) as client:
        with pytest.raises(AgentFailure, match="is not the file that the file table") as caught:
            client.ask("prepare", archive=large.archive, **large.with_table(files=wrong).request())
        assert caught.value.code == "corrupt"
        assert not children(client)
        assert list((root / "releases").iterdir()) == []
        client.ask("prepare", archive=large.archive, **large.request())


def test_a_helper_that_is_ended_ends_the_prepare_alone(large: Artifact, root: Path) -> None:
    with agent(root) as client:
        with half_sent(client, large) as helpers:
            for helper in helpers:
                os.kill(helper, signal.SIGKILL)
        with pytest.raises(AgentFailure, match="ended from outside") as caught:
            client.answer(large.archive)
        assert caught.value.code == "internal"
        done = client.ask("prepare", archive=large.archive, **large.request())
    assert done["tree_sha256"] == large.tree_sha256


def test_helpers_end_with_the_agent(large: Artifact, root: Path) -> None:
    with agent(root) as client, half_sent(client, large) as helpers:
        for helper in helpers:
            os.kill(helper, signal.SIGSTOP)
        client.process.kill()
        until = time.monotonic() + 60
        while any(Path(f"/proc/{helper}").exists() for helper in helpers):
            assert time.monotonic() < until
            time.sleep(0.01)
        raise AgentGone


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that every user may write to, and reach."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def limited(open_folder: Path, request: pytest.FixtureRequest) -> Iterator[AgentClient]:
    """Return an agent whose user may have so many processes, threads among them."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root, to become somebody else")
    # Nobody else is this user.
    python, user = open_folder / "python", 1_000_000 + os.getpid()
    become = f"prlimit --nproc={request.param} setpriv --reuid={user} --regid={user} --clear-groups"
    python.write_text(f'#!/bin/sh\nHOME=/ exec {become} /usr/bin/python3 "$@"\n')
    python.chmod(0o755)
    with agent(open_folder / "shop", python=str(python)) as client:
        yield client


@pytest.mark.parametrize("limited", [2], indirect=True)
def test_there_are_less_of_them_where_a_user_may_have_few_processes(
    large: Artifact, limited: AgentClient
) -> None:
    done = limited.ask("prepare", archive=large.archive, **large.request())
    assert done["tree_sha256"] == large.tree_sha256


@pytest.mark.parametrize("limited", [1], indirect=True)
def test_a_user_who_may_have_one_process_is_told_so(large: Artifact, limited: AgentClient) -> None:
    with pytest.raises(AgentFailure, match="may have no more processes") as caught:
        limited.ask("prepare", archive=large.archive, **large.request())
    assert "ulimit -u" in caught.value.hint


def test_none_that_could_not_be_made_keeps_a_descriptor() -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    gc.collect()
    before = descriptors()
    # One pipe, and half of the other.
    most = next(n for n in count() if n - sum(one < n for one in before) == 3)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, limits[1]))
        with Helpers(1, lambda *_: 0) as helpers:
            assert not helpers.take(0, 1, 1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert descriptors() == before


def descriptors() -> set[int]:
    every = list(Path("/proc/self/fd").iterdir())
    # But for the one by which they were listed.
    return {int(place.name) for place in every if place.is_symlink()}
