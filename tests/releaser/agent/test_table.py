from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.agent_client import AgentFailure, agent
from support.archives import Artifact, make_artifact

Table = dict[str, list[Any]]
DIGEST = "0" * 64


def hostile(name: str) -> Callable[[Table], None]:
    def put(table: Table) -> None:
        table["files"].append([name, 0, 0, DIGEST, 0, 0])

    return put


def edit(kind: str, row: int, column: int, value: object) -> Callable[[Table], None]:
    def change(table: Table) -> None:
        table[kind][row][column] = value

    return change


def links(*pairs: tuple[str, str]) -> Callable[[Table], None]:
    def put(table: Table) -> None:
        table["links"] = [list(pair) for pair in pairs]

    return put


def without_files(table: Table) -> None:
    del table["files"]


HOSTILE: dict[str, Callable[[Table], None]] = {
    "absolute": hostile("/etc/passwd"),
    "dot-dot": hostile("../evil"),
    "inner dot-dot": hostile("a/../../evil"),
    "trailing dot-dot": hostile("a/.."),
    "dot": hostile("./b"),
    "empty": hostile(""),
    "empty part": hostile("a//b"),
    "trailing slash": hostile("a/"),
    "NUL": hostile("b\0c"),
    "lone surrogate": hostile("b\ud800"),
    "part too long": hostile("b" * 256),
    "path too long": hostile("/".join(["b" * 200] * 21)),
    "file twice": hostile("a/one"),
    "file where a directory is": hostile("a"),
    "file below a file": hostile("a/one/two"),
    "file in no directory": hostile("nowhere/two"),
    "directory twice": lambda table: table["directories"].append("a"),
    "directory outside": lambda table: table["directories"].append("../b"),
    "directory where a file is": lambda table: table["directories"].append("a/one"),
    "path is a number": lambda table: table["directories"].append(7),
    "absolute link": links(("l", "/etc/passwd")),
    "link outside": links(("l", "../passwd")),
    "link outside by way of inside": links(("l", "a/../../passwd")),
    "link to nothing": links(("l", "")),
    "link with NUL": links(("l", "a\0b")),
    "link where a file is": links(("a/one", "a")),
    "link as a parent": links(("l", "a"), ("l/x", "one")),
    "link outside through a link": links(("a/up", ".."), ("l", "a/up/../passwd")),
    "links in a circle": links(("k", "l"), ("l", "k")),
    "target is a number": lambda table: table["links"].append(["l", 7]),
    "size is negative": edit("files", 0, 2, -1),
    "size is text": edit("files", 0, 2, "3"),
    "size is true": edit("files", 0, 2, True),
    "size is huge": edit("files", 0, 2, 1 << 61),
    "size is beyond all": edit("files", 0, 2, 1 << 70),
    "executable is text": edit("files", 0, 1, "1"),
    "executable is two": edit("files", 0, 1, 2),
    "digest is short": edit("files", 0, 3, "00"),
    "digest is not hexadecimal": edit("files", 0, 3, "Z" * 64),
    "member is beyond": edit("files", 0, 4, 99),
    "member is negative": edit("files", 0, 4, -1),
    "start is beyond": edit("files", 0, 5, 1 << 20),
    "files overlap": lambda table: table["files"].append(["b", *table["files"][0][1:]]),
    "file row is short": lambda table: table["files"].append(["b", 0]),
    "file row is an object": lambda table: table["files"].append({}),
    "member outside the archive": edit("members", -1, 1, 1 << 20),
    "members overlap": edit("members", 1, 0, 0),
    "member at a negative offset": edit("members", 0, 0, -1),
    "unknown codec": edit("members", 0, 4, "xz"),
    "stored but of another length": edit("members", 0, 4, "stored"),
    "no files": without_files,
}


@pytest.fixture
def small() -> Artifact:
    return make_artifact("1.0", {"a/one": b"one", "a/two": b"two"})


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_table_is_refused_before_anything_is_written(
    name: str, small: Artifact, root: Path
) -> None:
    table = json.loads(small.table_bytes)
    HOSTILE[name](table)
    # Not quite the canonical form: a lone surrogate can only be spelt with an escape.
    data = json.dumps(table, separators=(",", ":")).encode()
    artifact = replace(small, table_bytes=data).with_manifest(
        table_sha256=hashlib.sha256(data).hexdigest()
    )
    with agent(root) as client:
        with pytest.raises(AgentFailure) as caught:
            client.ask("prepare", archive=small.archive, **artifact.request())
        assert caught.value.code == "invalid"
        assert not [e for e in client.events if e["event"] == "want"]
        assert list((root / "releases").iterdir()) == []
        assert list((root / ".castoff/staging").iterdir()) == []
    assert {p.name for p in root.iterdir()} == {".castoff", "releases", "shared"}


@pytest.mark.parametrize("data", [b"[]", b"null", b"{", b'{"schema": 2}', b"\xff"])
def test_a_document_that_is_no_table_is_refused(data: bytes, small: Artifact, root: Path) -> None:
    artifact = replace(small, table_bytes=data).with_manifest(
        table_sha256=hashlib.sha256(data).hexdigest()
    )
    with agent(root) as client, pytest.raises(AgentFailure) as caught:
        client.ask("prepare", **artifact.request())
    assert caught.value.code == "invalid"


def test_a_table_that_the_manifest_does_not_name_is_refused(small: Artifact, root: Path) -> None:
    artifact = small.with_manifest(table_sha256=DIGEST)
    with agent(root) as client:
        for changes in ({}, {"table_z": "AAAA"}, {"table_z": "not base64!"}, {"table_z": ""}):
            with pytest.raises(AgentFailure) as caught:
                client.ask("prepare", **artifact.request(**changes))
            assert caught.value.code == "corrupt"


def test_links_that_stay_inside_are_made(root: Path) -> None:
    wanted = {"a/up": "..", "l": "a/one", "a/self": "../a/one", "m": "a/up/a", "gone": "nothing"}
    artifact = make_artifact("1.0", {"a/one": b"one"}, links=wanted)
    with agent(root) as client:
        client.ask("prepare", archive=artifact.archive, **artifact.request())
    release = root / "releases/1.0"
    assert {path: str((release / path).readlink()) for path in wanted} == wanted
    assert (release / "m/one").read_bytes() == b"one"
