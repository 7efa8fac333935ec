from __future__ import annotations

import tempfile
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings

from castoff.builder.errors import BuildError
from castoff.builder.tree import Tree, walk
from castoff.builder.zip_writer import Entry, write_zip
from castoff.store.digest import sha256
from support.any_tree import TREES, Rows, make

TIME = 1_700_000_000
SHEBANG = b"#!/usr/bin/env python3\n"


def entries_of(tree: Tree) -> dict[str, Entry]:
    return {f.path: Entry(tree.top / f.path, f.executable, f) for f in tree.files}


@settings(max_examples=25)
@given(TREES)
def test_any_tree_comes_back_by_place_and_by_zip(rows: Rows) -> None:
    with tempfile.TemporaryDirectory() as folder:
        top, target = Path(folder, "top"), Path(folder, "a.pyz")
        top.mkdir()
        tree = make(top, rows)
        places = write_zip(target, entries_of(tree), shebang=SHEBANG, moment=TIME)

        data = target.read_bytes()
        assert data.startswith(SHEBANG)
        wanted = {file.path: (top / file.path).read_bytes() for file in tree.files}
        found = {}
        for name, member in places.items():
            raw = data[member.offset : member.offset + member.length]
            assert sha256(raw) == member.sha256
            found[name] = zlib.decompress(raw, -15) if member.codec == "deflate" else raw
            assert len(found[name]) == member.raw_length
        assert found == wanted

        with zipfile.ZipFile(target) as archive:
            assert archive.testzip() is None
            assert {name: archive.read(name) for name in archive.namelist()} == wanted
            modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
        assert modes == {f.path: 0o100755 if f.executable else 0o100644 for f in tree.files}


@pytest.mark.parametrize("content", [b"longer than before", b"short", b"equals"])
def test_a_file_that_changed_since_it_was_hashed_stops_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "top").mkdir()
    (tmp_path / "top/a").write_bytes(b"before")
    tree = walk(tmp_path / "top")
    (tmp_path / "top/a").write_bytes(content)
    with pytest.raises(BuildError, match="'a' changed while it was packed"):
        write_zip(tmp_path / "a.pyz", entries_of(tree), shebang=SHEBANG, moment=TIME)
