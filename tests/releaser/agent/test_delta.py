"""A host fetches only what it lacks, and ends with the very tree, whatever the sources do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from castoff.releaser.agent.ranges import coalesced, members_of, size_of
from castoff.releaser.agent.table import parse_table
from support.agent_client import AgentClient, AgentFailure, agent, open_request
from support.archives import Artifact, make_artifact
from support.flaky_http import Answer, flaky_server

NOISE = {f"lib/{n:02}.bin": os.urandom(30_000) for n in range(20)}
OLD = make_artifact("1.0", {**NOISE, "app/main.py": b"one"}, raw_member=32_768)
CHANGED = {**NOISE, "app/main.py": b"two", "lib/05.bin": os.urandom(30_000)}
NEW = make_artifact("2.0", CHANGED, raw_member=32_768)


@pytest.fixture
def client(root: Path) -> Iterator[AgentClient]:
    """An agent on a host that has the old release."""
    with agent(root) as opened:
        opened.ask("prepare", archive=OLD.archive, **OLD.request())
        opened.ask("activate", version="1.0", release="r1")
        opened.ask("confirm", version="1.0", release="r1")
        yield opened


def urls(*sources: str) -> list[dict[str, str]]:
    return [{"kind": "url", "url": url} for url in sources]


def check(root: Path, client: AgentClient, prepared: dict[str, Any], artifact: Artifact) -> None:
    """Hold the release against its files, byte for byte."""
    assert prepared["tree_sha256"] == artifact.tree_sha256
    found = client.ask("verify", version=artifact.version)
    assert found["tree_sha256"] == artifact.tree_sha256
    assert not found["changed"] + found["missing"] + found["extra"]
    assert not list((root / ".castoff/staging").iterdir())


def test_only_what_has_changed_is_fetched_and_the_rest_is_copied(
    root: Path, client: AgentClient
) -> None:
    with flaky_server(NEW.archive) as server:
        done = client.ask("prepare", **NEW.request(sources=urls(server.url())))
        assert all(wanted is not None for _, wanted in server.asked)
    check(root, client, done, NEW)
    assert done["fetched"] < 0.25 * len(NEW.archive)
    for version, data in (("1.0", b"one"), ("2.0", b"two")):
        assert (root / f"releases/{version}/app/main.py").read_bytes() == data


def test_what_is_done_to_one_release_does_not_reach_another(
    root: Path, client: AgentClient
) -> None:
    client.ask("prepare", archive=NEW.archive, **NEW.request())
    path = root / "releases/2.0/lib/00.bin"
    path.chmod(0o666)
    path.write_bytes(b"other")
    assert (root / "releases/1.0/lib/00.bin").read_bytes() == NOISE["lib/00.bin"]
    found = client.ask("verify", version="1.0")
    assert not found["changed"] + found["missing"] + found["extra"]


def test_a_file_that_others_may_write_is_not_what_was_attested(
    root: Path, client: AgentClient
) -> None:
    (root / "releases/1.0/lib/00.bin").chmod(0o466)
    assert client.ask("verify", version="1.0")["changed"] == ["lib/00.bin"]


def test_the_controller_and_a_file_give_parts_too(
    root: Path, client: AgentClient, tmp_path: Path
) -> None:
    over_ssh = client.ask("prepare", archive=NEW.archive, **NEW.request())
    check(root, client, over_ssh, NEW)
    assert over_ssh["fetched"] < 0.25 * len(NEW.archive)
    third = make_artifact("3.0", {**CHANGED, "app/main.py": b"three"}, raw_member=32_768)
    path = tmp_path / "archive"
    path.write_bytes(third.archive)
    done = client.ask("prepare", **third.request(sources=[{"kind": "file", "path": str(path)}]))
    check(root, client, done, third)
    assert done["fetched"] < 0.25 * len(third.archive)


def test_what_would_be_fetched_is_foreseen_to_the_byte(root: Path, client: AgentClient) -> None:
    with agent(root, lock=False) as reader:
        foreseen = reader.ask("foresee", **NEW.request())["fetch"]
    assert client.ask("prepare", archive=NEW.archive, **NEW.request())["fetched"] == foreseen


@pytest.mark.parametrize(
    "how", ["content", "size", "mode", "link", "gone", "record", "rows", "path"]
)
def test_an_old_file_that_is_not_what_it_was_is_fetched_again(
    root: Path, client: AgentClient, how: str
) -> None:
    path = root / "releases/1.0/lib/03.bin"
    if how in ("content", "size"):
        before = path.stat()
        path.chmod(0o644)
        path.write_bytes(b"x" * (30_000 if how == "content" else 5))
        path.chmod(0o444)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif how == "mode":
        path.chmod(0o555)
    elif how == "record":
        (root / ".castoff/releases/1.0.table.json").write_bytes(b"{}")
    elif how == "rows":
        (root / ".castoff/releases/1.0.table.json").write_bytes(b'{"files": [["a", 0, 1, []], 7]}')
    elif how == "path":
        record = root / ".castoff/releases/1.0.table.json"
        record.write_text(record.read_text().replace("lib/03.bin", "../1.0/lib/03.bin"))
    else:
        path.parent.chmod(0o755)
        path.unlink()
        if how == "link":
            path.symlink_to("00.bin")
    done = client.ask("prepare", archive=NEW.archive, **NEW.request())
    check(root, client, done, NEW)
    assert done["fetched"] > 3 * 30_000
    assert (root / "releases/2.0/lib/03.bin").read_bytes() == NOISE["lib/03.bin"]


@pytest.mark.parametrize(
    "answers",
    [
        [Answer(limit=10_000)],
        [Answer(limit=10_000, reset=True), Answer(limit=5_000)],
        [Answer(status=503), Answer(status=500)],
        [Answer(wrong=True)],
        [Answer(shift=7)],
        [Answer(status=404)],
        [Answer(status=403)],
        [Answer(status=416)],
        [Answer(ranges=False)],
        [Answer(status=302, location="/elsewhere")],
        [Answer(status=503)] * 9,
    ],
    ids=lambda answers: "-".join(
        f"{a.status}{'w' if a.wrong else ''}{'s' if a.shift else ''}{'r' if a.reset else ''}"
        for a in answers[:2]
    ),
)
def test_a_source_that_misbehaves_costs_another_try_and_never_a_wrong_byte(
    root: Path, client: AgentClient, answers: list[Answer]
) -> None:
    with flaky_server(NEW.archive, *answers) as server:
        sources = [*urls(server.url()), {"kind": "controller"}]
        done = client.ask("prepare", archive=NEW.archive, **NEW.request(sources=sources))
    check(root, client, done, NEW)


def test_sources_that_all_lie_are_told_and_nothing_stands(root: Path, client: AgentClient) -> None:
    lies = bytes(len(NEW.archive))
    with pytest.raises(AgentFailure, match="other bytes") as caught:
        client.ask("prepare", archive=lies, **NEW.request())
    assert caught.value.code == "corrupt"
    assert not (root / "releases/2.0").exists()
    assert client.ask("state")["state"]["current"] == "1.0"


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    sizes=st.lists(st.integers(0, 9_000), min_size=1, max_size=12),
    member=st.integers(512, 8_192),
    data=st.data(),
)
def test_the_plan_covers_what_is_missing_and_asks_for_no_member_that_is_here(
    sizes: list[int], member: int, data: st.DataObject
) -> None:
    files = {f"f{n}": os.urandom(size) for n, size in enumerate(sizes)}
    artifact = make_artifact("1", files, raw_member=member)
    table = parse_table(artifact.table_bytes)
    rows = [row for row in range(len(table.files)) if data.draw(st.booleans())]
    missing = [table.files[row] for row in rows]
    needed = members_of(table, rows)
    ranges = coalesced(table.members.picked(needed))
    # Whole members, all of those that hold a byte of a missing file, and no other.
    spans = []
    start = 0
    for one in table.members:
        spans.append((start, start + one.raw_length))
        start += one.raw_length
    wanted = {
        index
        for index, (begin, end) in enumerate(spans)
        for f in missing
        if f.size and f.position < end and begin < f.position + f.size
    }
    assert set(needed) == wanted
    covered = {i for start, end in ranges for i in range(start, end)}
    assert len(covered) == size_of(ranges)
    for index in needed:
        one = table.members[index]
        assert set(range(one.offset, one.offset + one.length)) <= covered
    assert ranges == sorted(ranges)


@pytest.fixture(scope="module")
def one_agent() -> Iterator[AgentClient]:
    """An agent that opens one app after the other."""
    with agent() as client:
        yield client


CONTENT = st.one_of(st.binary(max_size=30), st.integers(0, 300_000).map(os.urandom))
TREE = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d/a", "d/b", "e/f/a", "z"]),
    st.tuples(CONTENT, st.booleans()),
    max_size=7,
)


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(old=TREE, new=TREE, kept=st.sets(st.sampled_from("abcdefz")), member=st.integers(1, 9))
def test_any_tree_is_made_of_any_other_without_a_byte_that_is_here(
    tmp_path_factory: pytest.TempPathFactory,
    one_agent: AgentClient,
    old: dict[str, tuple[bytes, bool]],
    new: dict[str, tuple[bytes, bool]],
    kept: set[str],
    member: int,
) -> None:
    root = tmp_path_factory.mktemp("host") / "shop"
    new = {**new, **{path: old[path] for path in old if path[0] in kept}}
    before = make_artifact("1", old, raw_member=member * 7_000)
    after = make_artifact("2", new, raw_member=member * 7_000)
    one_agent.ask("open", **open_request(root))
    one_agent.ask("prepare", archive=before.archive, **before.request())
    with flaky_server(after.archive) as server:
        done = one_agent.ask("prepare", **after.request(sources=urls(server.url())))
        asked = [wanted for _, wanted in server.asked]
    check(root, one_agent, done, after)

    here = {(content, executable) for content, executable in old.values()}
    lacking = [file for file in after.table.files if new[file.path] not in here and file.size]
    assert bool(asked) == bool(lacking)
    if None in asked:
        # The whole costs less than the parts do.
        return
    table = parse_table(after.table_bytes)
    paths = {file.path for file in lacking}
    needed = members_of(table, [r for r, path in enumerate(table.files.paths) if path in paths])
    least = coalesced(table.members.picked(needed))
    assert asked == [f"bytes={start}-{end - 1}" for start, end in least]
    assert done["fetched"] == size_of(least)
