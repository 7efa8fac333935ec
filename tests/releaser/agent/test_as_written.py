"""A layer that was just made is attested by the look that seals it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from castoff.releaser.agent.as_written import seal_as_written
from castoff.releaser.agent.errors import AgentError
from castoff.releaser.agent.seal import seal_of
from castoff.releaser.agent.table import Table, parse_table
from support.agent_client import agent
from support.archives import Content, make_artifact


@pytest.fixture
def part() -> Table:
    files: dict[str, Content] = {
        "lib/a/file": b"file",
        "lib/a/tool": (b"tool", True),
        "lib/empty": b"",
    }
    artifact = make_artifact("1.0", files, directories=["lib/b"], links={"lib/link": "a/file"})
    return parse_table(artifact.table_bytes)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    top = tmp_path / "layer"
    (top / "a").mkdir(parents=True)
    (top / "b").mkdir()
    for name, content, mode in (("a/file", "file", 0o444), ("a/tool", "tool", 0o555)):
        (top / name).write_text(content)
        (top / name).chmod(mode)
    (top / "empty").touch(0o444)
    (top / "link").symlink_to("a/file")
    return top


def test_the_seal_is_that_of_every_later_look(top: Path, part: Table) -> None:
    names = [b"a", b"a/file", b"a/tool", b"b", b"empty", b"link"]
    assert seal_as_written(str(top), part) == seal_of(str(top), names)


def _other_link(top: Path) -> None:
    (top / "link").unlink()
    (top / "link").symlink_to("a/tool")


def _folder_for_file(top: Path) -> None:
    (top / "empty").unlink()
    (top / "empty").mkdir()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda top: (top / "a/file").unlink(), "lib/a/file"),
        (lambda top: os.truncate(top / "a/file", 3), "lib/a/file"),
        (lambda top: (top / "a/file").chmod(0o555), "lib/a/file"),
        (lambda top: (top / "a/tool").chmod(0o444), "lib/a/tool"),
        (lambda top: (top / "empty").chmod(0o464), "lib/empty"),
        (lambda top: (top / "b").rmdir(), "lib/b"),
        (lambda top: (top / "b/more").touch(), "lib/b"),
        (lambda top: (top / "more").mkdir(), "lib"),
        (_other_link, "lib/link"),
        (_folder_for_file, "lib/empty"),
    ],
)
def test_whatever_is_other_than_it_was_written_is_named(
    change: Callable[[Path], object], named: str, top: Path, part: Table
) -> None:
    change(top)
    with pytest.raises(AgentError, match="not what was written") as caught:
        seal_as_written(str(top), part)
    assert caught.value.code == "corrupt"
    assert caught.value.message.startswith(f"{named!r} ")


def test_a_layer_of_many_folders_is_sealed_and_shared(root: Path) -> None:
    files = {f"lib/{n:04}/file": b"%d" % n for n in range(600)}
    one, two = (make_artifact(v, {**files, "app/v": v.encode()}) for v in ("1.0", "2.0"))
    with agent(root) as client:
        client.ask("prepare", archive=one.archive, **one.request())
        client.ask("prepare", archive=two.archive, **two.told(one))
    layers = {(root / "releases" / version / "lib").readlink() for version in ("1.0", "2.0")}
    assert len(layers) == 1
