"""Any table comes of any other and of what differs, and of tables in a row little differs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castoff.releaser.agent import table_delta as of_the_agent
from castoff.releaser.agent.packed import Packed
from castoff.releaser.agent.table_delta import Delta, applied
from castoff.store import canonical
from castoff.store.filetable import File, FileTable, Link, Member
from castoff.store.table_delta import table_delta
from support.trees import write_tree

digests = st.sampled_from([letter * 64 for letter in "abcdef"])
names = st.text("abc/é", min_size=1, max_size=3)
numbers = st.integers(0, 5)
tables = st.builds(
    FileTable,
    members=st.lists(
        st.builds(Member, numbers, numbers, numbers, digests, st.sampled_from(["gzip", "stored"])),
        max_size=6,
    ).map(tuple),
    directories=st.lists(names, max_size=5).map(tuple),
    files=st.lists(
        st.builds(File, names, st.booleans(), numbers, digests, numbers, numbers), max_size=9
    ).map(tuple),
    links=st.lists(st.builds(Link, names, names), max_size=4).map(tuple),
)


def made(old: bytes, delta: dict[str, Any]) -> bytes:
    """Return the table that comes of another one, which is read in small blocks."""
    told = Delta(Packed.of([json.dumps(delta, separators=(",", ":")).encode()]))
    return b"".join(applied((old[at : at + 7] for at in range(0, len(old), 7)), told))


@pytest.mark.parametrize("short", [0, 1 << 20])
@given(old=tables, new=tables)
def test_any_table_comes_of_any_other(short: int, old: FileTable, new: FileTable) -> None:
    delta = json.loads(json.dumps(table_delta(old.to_bytes(), new.to_bytes())))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(of_the_agent, "_SHORT", short)
        assert made(old.to_bytes(), delta) == new.to_bytes()


@given(tables)
def test_a_table_comes_of_itself_by_a_run_of_each_kind(table: FileTable) -> None:
    delta = table_delta(table.to_bytes(), table.to_bytes())
    assert made(table.to_bytes(), json.loads(json.dumps(delta))) == table.to_bytes()
    assert max(map(len, delta.values())) <= 1


def test_of_one_changed_file_little_is_told(tmp_path: Path) -> None:
    files = {f"lib/package/{n:04}.py": str(n).encode() * 40 for n in range(3000)}
    old = write_tree(tmp_path / "old", "1", files, raw_member=8000)
    files["lib/package/0700.py"] += b"# one more line\n"
    new = write_tree(tmp_path / "new", "2", files, raw_member=8000)
    before, after = (gzip.decompress(one.table.read_bytes()) for one in (old, new))
    delta = canonical.dumps(table_delta(before, after))
    assert made(before, json.loads(delta)) == after
    assert len(delta) < len(after) / 50


@pytest.mark.parametrize(
    "delta",
    [
        {},
        {"members": [[0, 9]], "directories": [], "files": [], "links": []},
        {"members": [], "directories": [[-1, 1]], "files": [], "links": []},
        {"members": [], "directories": [], "files": [[0, 10**9, 0]], "links": []},
        {"members": [], "directories": [], "files": [[0, 0, 1, 2, 3]], "links": []},
        {"members": [[1]], "directories": [], "files": [], "links": []},
        {"members": 1, "directories": [], "files": [], "links": []},
    ],
)
def test_a_difference_that_does_not_fit_makes_nothing(delta: dict[str, Any]) -> None:
    table = FileTable((), ("a",), (File("a/b", False, 1, "a" * 64, 0, 0),), ())
    with pytest.raises(ValueError, match=r"."):
        made(table.to_bytes(), delta)
